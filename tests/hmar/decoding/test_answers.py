"""What comes from a child is checked: only what FrameInfo and Frame promise passes."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from hmar.decoding.answers import (
    check_values,
    error_answer,
    header_answer,
    info_answer,
    meaning_answer,
    raise_error,
    read_header,
    read_identified,
    read_info,
    read_meaning,
    read_note,
    read_size,
    read_type,
    read_uid,
    read_units,
)
from hmar.decoding.messages import MessageError
from hmar.errors import DecodeError, HmarError, LimitError, NotFoundError, ParameterError
from hmar.values.frames import FrameInfo, Units
from hmar.values.geometry import Spacing
from hmar.values.headers import FileHeader
from hmar.values.identified import Identified
from hmar.values.stored import Meaning, StoredUnits
from tests.frames import frame_info

INFO = FrameInfo(
    study_uid="1.2",
    series_uid="1.2.3",
    sop_instance_uid="1.2.3.4",
    frame_number=3,
    modality="CT",
    body_part="CHEST",
    patient_key="0123456789abcdef" * 2,
    rows=512,
    columns=256,
    spacing=Spacing(0.5, 0.25),
    pixel_aspect=1.5,
    series_number=-2,
    instance_number=7,
    position=(1.5, -2.0, 3.0),
    stack="0123456789abcdef",
    along_mm=-3.25,
    uids_derived=True,
    sex="F",
    age_years=90,
    study_date=date(2020, 2, 29),
    manufacturer="PHANTOM WORKS",
    convolution_kernel="B30F",
    slice_thickness_mm=1.25,
    contrast=False,
    view_position="AP",
    laterality="L",
    series_description="CHEST 1.25mm",
)
BARE = replace(frame_info(spacing=None), frame_number=3)


def sent(answer: Any) -> Any:
    return json.loads(json.dumps(answer))


@pytest.mark.parametrize("info", [INFO, BARE])
def test_an_info_arrives_as_it_was_sent(info: FrameInfo) -> None:
    assert read_info(sent(info_answer(info)), 3) == info


def test_every_field_of_the_sample_is_set() -> None:
    unset = {field.name for field in fields(FrameInfo) if getattr(INFO, field.name) is None}
    assert unset == {"label"}


@pytest.mark.parametrize(
    "change",
    [
        {"study_uid": "GEHEIM-4711"},
        {"series_uid": ""},
        {"sop_instance_uid": "1" * 65},
        {"sop_instance_uid": None},
        {"frame_number": 4},
        {"frame_number": "3"},
        {"modality": "Mustermann^Erika"},
        {"modality": None},
        {"body_part": "chest"},
        {"patient_key": "GEHEIM-4711"},
        {"rows": 0},
        {"rows": 512.0},
        {"rows": True},
        {"columns": 2**27},
        {"rows": 8193, "columns": 8192},
        {"pixel_aspect": 0.0},
        {"pixel_aspect": "a"},
        {"spacing": [0.5]},
        {"spacing": [0.5, 0]},
        {"spacing": [0.5, "a"]},
        {"spacing": [0.5, float("inf")]},
        {"series_number": 2**31},
        {"instance_number": "7"},
        {"position": [1, 2]},
        {"stack": "Mustermann^Erika"},
        {"stack": None},
        {"along_mm": None},
        {"along_mm": float("inf")},
        {"along_mm": "3"},
        {"position": [1, 2, float("nan")]},
        {"uids_derived": 1},
        {"sex": "Erika"},
        {"age_years": 91},
        {"age_years": -1},
        {"study_date": "20200229"[:6]},
        {"study_date": 20200229},
        {"manufacturer": "phantom works"},
        {"manufacturer": "A" * 65},
        {"label": "given"},
        {"convolution_kernel": "b30f"},
        {"series_description": "CHEST MUSTERMANN"},
        {"series_description": "chest"},
        {"slice_thickness_mm": 0},
        {"slice_thickness_mm": float("inf")},
        {"slice_thickness_mm": "1.25"},
        {"slice_thickness_mm": True},
        {"contrast": 1},
        {"contrast": "YES"},
        {"view_position": "from above, Dr. Mustermann"},
        {"laterality": "X"},
        {"sex": ["F"]},
        {"patient_name": "Mustermann^Erika"},
    ],
    ids=str,
)
def test_an_info_with_anything_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        read_info({**sent(info_answer(INFO)), **change}, 3)


@pytest.mark.parametrize("answer", [None, [], "info", {}, 7])
def test_what_is_no_info_is_refused(answer: Any) -> None:
    with pytest.raises(MessageError):
        read_info(answer, 3)


@pytest.mark.parametrize("kind", [DecodeError, LimitError, ParameterError])
def test_an_error_arrives_as_it_was_raised(kind: type[HmarError]) -> None:
    with pytest.raises(kind, match=r"^What\. Do\.$") as raised:
        raise_error(sent(error_answer(kind("What.", "Do."))))
    assert type(raised.value) is kind


def test_any_other_error_becomes_that_of_a_file() -> None:
    with pytest.raises(DecodeError):
        raise_error(sent(error_answer(NotFoundError("What.", "Do."))))


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "operator", "detail": "What.", "remedy": "Do."},
        {"error": "decode", "detail": "What."},
        {"error": "decode", "detail": "", "remedy": "Do."},
        {"error": "decode", "detail": "two\nlines", "remedy": "Do."},
        {"error": "decode", "detail": "x" * 1001, "remedy": "Do."},
        {"error": "decode", "detail": ["What."], "remedy": "Do."},
    ],
)
def test_an_error_that_says_nothing_sound_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        raise_error(answer)


@pytest.mark.parametrize("value", [0, 101, -1, 7.0, True, "7", None])
def test_a_size_is_a_whole_number_in_its_range(value: Any) -> None:
    assert read_size({"frames": 100}, "frames", 100) == 100
    with pytest.raises(MessageError):
        read_size({"frames": value}, "frames", 100)


@pytest.mark.parametrize(
    "answer",
    [
        {"units": "mm"},
        {"units": None},
        {},
        {"units": "HU", "window": [1]},
        {"units": "HU", "window": "ab"},
        {"units": "HU", "window": [1, float("inf")]},
    ],
)
def test_units_and_window_are_known(answer: dict[str, Any]) -> None:
    assert read_units({"units": "HU", "window": [40, 400]}) == (Units.HU, (40.0, 400.0))
    assert read_units({"units": "presentation", "window": None}) == (Units.PRESENTATION, None)
    with pytest.raises(MessageError):
        read_units(answer)


def test_a_note_is_one_line_of_ascii() -> None:
    assert read_note({"note": None}) is None
    assert read_note({"note": "RescaleType is unknown."}) == "RescaleType is unknown."
    for note in ("", "two\nlines", "\u00e9", 3, "x" * 2000):
        with pytest.raises(MessageError):
            read_note({"note": note})


@pytest.mark.parametrize(
    ("units", "values", "sound"),
    [
        (Units.HU, [-1024, 5000], True),
        (Units.HU, [-1025, 0], False),
        (Units.HU, [0, np.inf], False),
        (Units.PRESENTATION, [0, 1], True),
        (Units.PRESENTATION, [0, 1.001], False),
        (Units.PRESENTATION, [-0.001, 1], False),
        (Units.PRESENTATION, [np.nan, 1], False),
        (Units.HU, [0, np.nan], False),
    ],
)
def test_values_lie_in_the_range_of_their_units(units: Units, values: list[float], sound: bool) -> None:
    array = np.array([values], np.float32)
    if sound:
        check_values(array, units)
    else:
        with pytest.raises(MessageError):
            check_values(array, units)


MEANING = Meaning(
    StoredUnits.HU,
    slope=0.5,
    intercept=-1024.0,
    units_note="RescaleType is unknown",
    inverted=True,
    windows=((40.0, 400.0), (-600.0, 1500.0)),
    window_function="SIGMOID",
    padding=(-2000, -1990),
    orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    directions=("L", "F"),
)


@pytest.mark.parametrize("meaning", [MEANING, Meaning(StoredUnits.MODALITY)])
def test_a_meaning_comes_back_as_it_was(meaning: Meaning) -> None:
    assert read_meaning(sent(meaning_answer(meaning))) == meaning


@pytest.mark.parametrize(
    "lie",
    [
        {"units": "inches"},
        {"slope": 0},
        {"slope": "NaN"},
        {"intercept": None},
        {"units_note": "\n"},
        {"inverted": 1},
        {"windows": [[1, 2, 3]]},
        {"windows": [[1, 0]]},
        {"windows": [[40, 400]] * 17},
        {"window_function": "LOG"},
        {"padding": [3, 2]},
        {"padding": [1.5, 2]},
        {"orientation": [1, 0]},
        {"directions": ["DOE", "JOHN"]},
        {"directions": ["L"]},
        {"name": "DOE"},
    ],
)
def test_a_meaning_that_cannot_be_is_no_answer(lie: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        read_meaning(sent(meaning_answer(MEANING)) | lie)
    with pytest.raises(MessageError):
        read_meaning(None)


def test_only_known_types_of_pixels_are_read() -> None:
    assert read_type({"type": "int16"}) == "int16"
    for other in ("float64", None, ["int16"]):
        with pytest.raises(MessageError):
            read_type({"type": other})


HEADER = FileHeader(
    "int16",
    12,
    Meaning(StoredUnits.HU, intercept=-1024.0),
    "1.2.840.10008.1.2.1",
    {"SOPClassUID": ("1.2",), "ImageType": ("ORIGINAL", "PRIMARY"), "SpacingBetweenSlices": (2.5,)},
)


def test_a_header_comes_back_as_it_was() -> None:
    assert read_header(json.loads(json.dumps(header_answer(HEADER)))) == HEADER


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "int32"},
        {"bits": 17},
        {"meaning": None},
        {"transfer_syntax_uid": "Mustermann"},
        {"transfer_syntax_uid": None},
        {"attributes": None},
        {"attributes": {"PatientName": ["Mustermann"]}},
        {"attributes": {"SOPClassUID": ["Mustermann"]}},
        {"attributes": {"SOPClassUID": []}},
        {"attributes": {"SOPClassUID": 1}},
        {"attributes": {"ImageType": ["ORIGINAL", "Dr. med. Mustermann, Erika"]}},
        {"attributes": {"ImageType": ["ORIGINAL"] * 17}},
        {"attributes": {"SpacingBetweenSlices": ["2.5"]}},
        {"attributes": {"SpacingBetweenSlices": [True]}},
        {"attributes": {"AcquisitionNumber": [1.5]}},
        {"attributes": {"AcquisitionNumber": [2**31]}},
    ],
)
def test_a_header_that_no_file_has_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        read_header({**json.loads(json.dumps(header_answer(HEADER))), **changes})


@pytest.mark.parametrize("value", ["", "Mustermann", "1.2\n", "1" * 65, 1.2, True, ["1.2"], {}])
def test_a_sop_class_is_a_uid_or_nothing(value: Any) -> None:
    assert read_uid({"sop_class": "1.2"}, "sop_class") == "1.2"
    assert read_uid({"sop_class": None}, "sop_class") is None
    with pytest.raises(MessageError):
        read_uid({"sop_class": value}, "sop_class")


IDENTIFIED = Identified("1.2", "1.2.3", "1.2.4", has_pixels=True, decodable=False, fault="It has no pixels.")


def test_what_an_instance_is_comes_back_as_it_was() -> None:
    for one in (IDENTIFIED, replace(IDENTIFIED, study_uid="", fault=None)):
        assert read_identified(sent(asdict(one))) == one


@pytest.mark.parametrize(
    "change",
    [
        {"study_uid": "Mustermann"},
        {"sop_instance_uid": None},
        {"sop_class_uid": ["1.2"]},
        {"has_pixels": 1},
        {"decodable": None},
        {"fault": ""},
        {"fault": "two\nlines"},
        {"fault": "x" * 1001},
        {"fault": ["It has no pixels."]},
        {"patient_name": "Mustermann"},
    ],
    ids=str,
)
def test_an_instance_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        read_identified(sent(asdict(IDENTIFIED)) | change)
    with pytest.raises(MessageError):
        read_identified(list(change))
