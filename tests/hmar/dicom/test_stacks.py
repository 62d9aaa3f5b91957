"""Where frames lie in their stack, by their headers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydicom.dataset import Dataset

from hmar.dicom.header import frame_header
from hmar.dicom.stacks import InStack, stack_of

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def slice_at(*position: float, **changes: Any) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = Dataset()
    values = {
        "Rows": 4,
        "Columns": 4,
        "PixelSpacing": [0.7, 0.7],
        "ImageOrientationPatient": AXIAL,
        "ImagePositionPatient": list(position),
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        **changes,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def placed(dataset: Dataset, frame_number: int = 1, frames: int = 1) -> InStack:
    found = stack_of(dataset, frame_header(dataset, frame_number, frames))
    assert found is not None
    return found


def test_axial_slices_are_one_stack_by_their_height() -> None:
    first, second = placed(slice_at(-180.0, -170.0, 40.5)), placed(slice_at(-180.0, -170.0, 41.5))
    assert first.stack == second.stack
    assert (first.along_mm, second.along_mm) == pytest.approx((40.5, 41.5))


def test_directions_that_differ_by_the_sign_of_zero_are_one() -> None:
    first, second = slice_at(0.0, 0.0, 1.0), slice_at(0.0, 0.0, 2.0)
    second.ImageOrientationPatient = [1.0, -0.0, 0.0, -0.0001, 1.0, 0.0]
    assert placed(first).stack == placed(second).stack


@pytest.mark.parametrize("height", [1e7, -1e7, 1.7e308])
def test_positions_that_no_scanner_has_are_unknown(height: float) -> None:
    dataset = slice_at(0.0, 0.0, height)
    assert stack_of(dataset, frame_header(dataset, 1, 1)) is None


def test_slices_of_a_tilted_gantry_are_measured_across_their_planes() -> None:
    tilt = math.radians(20)
    cosines = [1.0, 0.0, 0.0, 0.0, math.cos(tilt), math.sin(tilt)]
    heights = [placed(slice_at(0.0, 0.0, z, ImageOrientationPatient=cosines)) for z in (0.0, 1.0)]
    assert heights[0].stack == heights[1].stack
    assert heights[1].along_mm - heights[0].along_mm == pytest.approx(math.cos(tilt))


@pytest.mark.parametrize(
    "other",
    [
        {"ImageOrientationPatient": [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]},
        {"EchoTime": 80},
        {"AcquisitionNumber": 2},
        {"TemporalPositionIdentifier": 2},
        {"DiffusionBValue": 1000.0},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"PixelSpacing": [0.5, 0.5]},
        {"Rows": 8},
    ],
)
def test_what_shows_something_else_at_the_same_place_is_another_stack(other: dict[str, Any]) -> None:
    first, second = placed(slice_at(0.0, 0.0, 5.0)), placed(slice_at(0.0, 0.0, 5.0, **other))
    assert first.stack != second.stack


@pytest.mark.parametrize(
    "missing",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": None},
        {"ImageOrientationPatient": [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]},
        {"ImageOrientationPatient": [0.0] * 6},
    ],
)
def test_a_frame_whose_lie_is_unknown_is_in_no_stack(missing: dict[str, Any]) -> None:
    dataset = slice_at(0.0, 0.0, 5.0, **missing)
    assert stack_of(dataset, frame_header(dataset, 1, 1)) is None


def test_frames_of_an_enhanced_image_have_places_of_their_own() -> None:
    dataset = slice_at(0.0, 0.0, 0.0, ImagePositionPatient=None, ImageOrientationPatient=None)
    groups = []
    for z in (10.0, 11.0):
        position, orientation, group = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0.0, 0.0, z]
        orientation.ImageOrientationPatient = AXIAL
        group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    first, second = (placed(dataset, number, 2) for number in (1, 2))
    assert (first.stack, second.along_mm - first.along_mm) == (second.stack, 1.0)
