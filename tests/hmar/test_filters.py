from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar import filters
from hmar.errors import ParameterError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("SIEMENS", "SIEMENS"),
        (" Philips  Medical\tSystems ", "PHILIPS MEDICAL SYSTEMS"),
        ("HOLOGIC, Inc.", "HOLOGIC, INC."),
        ('"GE Healthcare"', "GE HEALTHCARE"),
        ("GE MEDICAL S]STEMS", "GE MEDICAL S STEMS"),
        ("CHEST\nX-Injected: yes", "CHEST X-INJECTED YES"),
        ("", None),
        (" \0 ", None),
        ("€", None),
    ],
)
def test_a_manufacturer_is_kept_in_upper_case_and_few_signs(typed: str, kept: str | None) -> None:
    assert filters.manufacturer_value(typed) == kept


@given(st.text(max_size=200))
def test_what_is_kept_of_a_manufacturer_or_code_finds_itself(typed: str) -> None:
    maker, code = filters.manufacturer_value(typed), filters.code_value(typed)
    if maker is not None:
        assert len(maker) <= 64
        assert filters.manufacturers([maker]) == filters.manufacturers([typed]) == {maker}
    if code is not None:
        assert filters.codes("modality", [code]) == filters.codes("modality", [typed]) == {code}


@pytest.mark.parametrize("wrong", ["", "   ", "x" * 65, "a\nb", "a\0b"])
def test_a_label_has_1_to_64_printable_characters(wrong: str) -> None:
    with pytest.raises(ParameterError, match="The label is"):
        filters.label_value(wrong)
    assert filters.label_value(" nodules, set 2: née ") == "nodules, set 2: née"


@pytest.mark.parametrize(
    ("check", "value", "said"),
    [
        (lambda value: filters.codes("modality", [value]), "CT*", r"modality is 'CT\*'"),
        (lambda value: filters.codes("body_part", ["CHEST", value]), "x" * 17, "body_part is 'xxx"),
        (lambda value: filters.sexes([value]), "female", "sex is 'female'"),
        (lambda value: filters.manufacturers([value]), "***", r"manufacturer is '\*\*\*'"),
        (lambda value: filters.labels([value]), "", "The label is ''"),
    ],
)
def test_a_value_that_can_be_none_is_refused_by_name(check, value: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as raised:
        check(value)
    assert raised.value.remedy.startswith("Give ")


def test_values_are_brought_into_the_form_that_is_kept() -> None:
    assert filters.codes("modality", ["ct", " MR "]) == {"CT", "MR"}
    assert filters.sexes(["f", "M"]) == {"F", "M"}


def test_an_open_end_of_a_band_goes_as_far_as_it_goes() -> None:
    assert filters.age_band(40, None) == (40, 90)
    assert filters.age_band(None, 40) == (0, 40)
    assert filters.date_range("2020-02-29", None) == (date(2020, 2, 29), date.max)
    assert filters.date_range(None, "2020-02-29") == (date.min, date(2020, 2, 29))


@pytest.mark.parametrize("band", [(None, None), (60, 40), (-1, 5), (0, 91), (91, None)])
def test_a_band_of_ages_lies_within_0_to_90(band: tuple[int | None, int | None]) -> None:
    with pytest.raises(ParameterError, match=f"{band[0]} to {band[1]} years"):
        filters.age_band(*band)


@pytest.mark.parametrize(
    "ends",
    [
        (None, None),
        ("2021-01-01", "2020-01-01"),
        ("2021-02-29", None),
        ("20210101", None),
        ("2021-W01-1", None),
        (None, "yesterday"),
        ("", None),
    ],
)
def test_study_dates_are_days_in_order(ends: tuple[str | None, str | None]) -> None:
    with pytest.raises(ParameterError, match="study date"):
        filters.date_range(*ends)
