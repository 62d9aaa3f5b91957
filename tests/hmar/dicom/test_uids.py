from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from hmar.values.frames import FrameInfo
from tests.hmar.dicom.build import image, opened, ramp

# A slice whose UIDs were emptied, as a careless anonymiser does.
EMPTY: dict[str, Any] = {
    "SOPInstanceUID": "",
    "SeriesInstanceUID": "",
    "StudyInstanceUID": "",
    "PatientID": "",
}
SCAN: dict[str, Any] = {
    "Modality": "CT",
    "FrameOfReferenceUID": "1.9.8.7",
    "StudyDate": "20221208",
    "SeriesTime": "140539.425",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
}
DERIVED = re.compile(r"2\.25\.(0|[1-9][0-9]{0,38})")


def info(**elements: Any) -> FrameInfo:
    return opened(image(ramp(), **elements)).infos[0]


def test_uids_of_the_file_are_kept() -> None:
    found = info()
    assert (found.study_uid, found.series_uid, found.sop_instance_uid) == ("1.2.3", "1.2.3.4", "1.2.3.4.5")
    assert not found.uids_derived


def test_the_meta_information_names_an_instance_that_the_data_set_does_not() -> None:
    found = info(**EMPTY, **SCAN)
    assert found.sop_instance_uid == "9.9.9"
    assert found.uids_derived


def test_an_instance_without_any_uid_is_named_by_its_bytes() -> None:
    data = image(ramp(), meta=False, **{**EMPTY, **SCAN})
    number = int.from_bytes(
        hashlib.sha256(b"instance\0" + hashlib.sha256(data).hexdigest().encode()).digest()[:16]
    )
    assert opened(data).infos[0].sop_instance_uid == f"2.25.{number}"


def test_slices_of_one_scan_share_series_and_study() -> None:
    slices = [info(**EMPTY, **SCAN, ImagePositionPatient=[0, 0, z], InstanceNumber=z) for z in range(3)]
    assert len({(item.study_uid, item.series_uid) for item in slices}) == 1
    assert DERIVED.fullmatch(slices[0].series_uid)
    assert DERIVED.fullmatch(slices[0].study_uid)


@pytest.mark.parametrize(
    "other",
    [
        {"FrameOfReferenceUID": "1.9.8.8"},
        {"SeriesTime": "150000"},
        {"SeriesNumber": 2},
        {"Modality": "PT"},
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"ConvolutionKernel": "Br59"},
    ],
)
def test_another_scan_is_another_series(other: dict[str, Any]) -> None:
    assert info(**EMPTY, **SCAN).series_uid != info(**EMPTY, **{**SCAN, **other}).series_uid


def test_two_series_of_one_frame_of_reference_share_their_study() -> None:
    one, two = info(**EMPTY, **SCAN), info(**EMPTY, **{**SCAN, "SeriesTime": "150000"})
    assert one.study_uid == two.study_uid


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName", "PatientBirthDate", "AccessionNumber"])
def test_patient_data_never_enters_a_derived_uid(keyword: str) -> None:
    value = "19700101" if keyword == "PatientBirthDate" else "SOMEONE"
    one, two = info(**EMPTY, **SCAN), info(**{**EMPTY, **SCAN, keyword: value})
    assert (one.study_uid, one.series_uid) == (two.study_uid, two.series_uid)


def test_files_that_nothing_ties_together_are_series_and_studies_of_their_own() -> None:
    empty = {**EMPTY, "Modality": "CT"}
    one, two = info(**empty), opened(image(ramp() + ramp(), meta=False, **empty)).infos[0]
    assert one.series_uid != two.series_uid
    assert one.study_uid != two.study_uid


@pytest.mark.parametrize("uid", ["1.2 .3", "1.2.x", "1." + "2" * 63])
def test_a_malformed_uid_counts_as_absent(uid: str) -> None:
    from pydicom.dataelem import DataElement

    found = info(SeriesInstanceUID=DataElement("SeriesInstanceUID", "LO", uid), **SCAN)
    assert DERIVED.fullmatch(found.series_uid)
    assert found.uids_derived
    assert found.study_uid == "1.2.3"
