"""The properties of frames, as real headers and strange ones have them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydicom.dataelem import DataElement

from hmar.values.frames import FrameInfo
from tests.hmar.dicom.build import image, opened, ramp


def info(**elements: Any) -> FrameInfo:
    # With a VR that permits any text: pydicom refuses to write some of these in their own.
    texts = {keyword: DataElement(keyword, "LO", value) for keyword, value in elements.items()}
    return opened(image(ramp(), **texts)).infos[0]


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("045Y", 45),
        ("000Y", 0),
        ("018M", 1),
        ("011M", 0),
        ("104W", 1),
        ("105W", 2),
        ("364D", 0),
        ("731D", 2),
        ("042y", 42),
        ("5Y", 5),
        ("089Y", 89),
        ("090Y", 90),
        ("101Y", 90),
        ("130Y", 90),
        ("131Y", None),
        ("999Y", None),
        ("45", None),
        ("N-A", None),
        ("", None),
    ],
)
def test_ages_are_whole_years_and_those_above_89_are_90(age: str, years: int | None) -> None:
    assert info(PatientAge=age).age_years == years


@pytest.mark.parametrize(
    ("typed", "sex"),
    [("F", "F"), ("m", "M"), ("O ", "O"), ("U", None), ("female", None), ("0000", None), ("", None)],
)
def test_a_sex_is_one_of_three_or_unknown(typed: str, sex: str | None) -> None:
    assert info(PatientSex=typed).sex == sex


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("20200229", date(2020, 2, 29)),
        ("1997.09.17", date(1997, 9, 17)),
        ("20210229", None),
        ("00000000", None),
        ("2021-01-01", None),
        ("1997.0917", None),
        ("20200101-20201231", None),
        ("", None),
    ],
)
def test_a_study_date_is_a_day_or_unknown(typed: str, day: date | None) -> None:
    assert info(StudyDate=typed).study_date == day


def test_a_manufacturer_is_kept_in_few_signs() -> None:
    assert info(Manufacturer="Philips Medical Systems").manufacturer == "PHILIPS MEDICAL SYSTEMS"
    assert info(Manufacturer="  ").manufacturer is None


def test_a_header_without_them_leaves_all_of_them_unknown() -> None:
    found = info()
    assert (found.sex, found.age_years, found.study_date, found.manufacturer) == (None,) * 4
    assert found.label is None


def test_the_age_is_never_computed_from_the_date_of_birth() -> None:
    assert info(PatientBirthDate="19700101", StudyDate="20200101").age_years is None


def test_every_frame_of_a_multi_frame_image_has_them() -> None:
    stored = ramp(rows=6).reshape(2, 3, 5)
    infos = opened(image(stored, PatientSex="F", PatientAge="033Y")).infos
    assert [(item.sex, item.age_years) for item in infos] == [("F", 33)] * 2


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ({"SeriesDescription": "Thorax Zwoelfschuh^Quirinia 1.25mm LUNGE"}, "THORAX 1.25mm LUNGE"),
        ({"SeriesDescription": ["LUNG", "Zwoelfschuh", "AX"]}, "LUNG AX"),
        ({"SeriesDescription": "Zwoelfschuh", "ProtocolName": "t2_tse_tra_Quirinia"}, "T2 TSE TRA"),
        ({"StudyDescription": "CT Thorax Zwoelfschuh"}, None),
        ({"ProtocolName": ""}, None),
        ({}, None),
    ],
)
def test_a_description_is_its_words_of_the_field_alone(header: dict[str, Any], kept: str | None) -> None:
    found = info(**header)
    assert found.series_description == kept
    assert not any(name in repr(found).lower() for name in ("zwoelfschuh", "quirinia"))
