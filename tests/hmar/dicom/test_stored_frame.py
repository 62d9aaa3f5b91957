"""Frames as they are stored: the numbers of the file, and what makes the product's values of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.presentation import Window, apply_window
from hmar.dicom.read import read_dicom
from hmar.errors import DecodeError, ParameterError
from hmar.values.frames import Units
from hmar.values.stored import StoredFrame, StoredUnits, dtype_of
from tests.hmar.dicom.build import HASHER, MAX_PIXELS, image

CT = {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-1024"}
AXIAL = [1, 0, 0, 0, 1, 0]
RAMP = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300


def stored(values: NDArray[Any], **elements: Any) -> StoredFrame:
    return read_dicom(image(values, **elements), MAX_PIXELS, HASHER).stored(1)


@given(st.sampled_from(["int16", "uint16"]), st.integers(-3, 3), st.data())
def test_hounsfield_units_follow_from_the_values_by_slope_and_intercept(
    kind: str, intercept: int, data: st.DataObject
) -> None:
    limits = np.iinfo(kind)
    numbers = data.draw(st.lists(st.integers(int(limits.min), int(limits.max)), min_size=6, max_size=6))
    values = np.array(numbers, kind).reshape(2, 3)
    file = read_dicom(image(values, **CT | {"RescaleIntercept": str(intercept * 1000)}), MAX_PIXELS, HASHER)
    frame, shown = file.stored(1), file.frame(1)
    assert frame.type == kind
    assert np.array_equal(frame.values, values)
    assert frame.to_bytes() == values.astype(dtype_of(frame.type)).tobytes()
    made = frame.values * frame.meaning.slope + frame.meaning.intercept
    assert frame.meaning.units is StoredUnits.HU
    assert shown.units is Units.HU
    assert np.array_equal(np.maximum(made, -1024).astype(np.float32), shown.values)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_picture_follows_from_the_values_by_the_first_window(photometric: str, function: str) -> None:
    elements = {
        "Modality": "MR",
        "WindowCenter": ["1500", "90"],
        "WindowWidth": ["2000", "300"],
        "VOILUTFunction": function,
        "PhotometricInterpretation": photometric,
    }
    frame = stored(RAMP, **elements)
    meaning = frame.meaning
    assert (meaning.units, meaning.windows) == (StoredUnits.MODALITY, ((1500.0, 2000.0), (90.0, 300.0)))
    values = frame.values * meaning.slope + meaning.intercept
    grey = apply_window(values, Window(*meaning.windows[0], meaning.window_function))
    shown = read_dicom(image(RAMP, **elements), MAX_PIXELS, HASHER).frame(1).values
    assert np.allclose(1 - grey if meaning.inverted else grey, shown, atol=1e-6)


def test_of_many_windows_the_first_are_told() -> None:
    windows = {"WindowCenter": [str(number) for number in range(40)], "WindowWidth": ["100"] * 40}
    assert stored(RAMP, **windows).meaning.windows == tuple((float(number), 100.0) for number in range(16))


def test_padding_stays_and_is_named_in_the_signedness_of_the_pixels() -> None:
    values = np.array([[-2000, 5], [7, -1990]], np.int16)
    frame = stored(values, **CT, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990)
    assert np.array_equal(frame.values, values)
    assert frame.meaning.padding == (-2000, -1990)
    assert stored(values, **CT).meaning.padding is None


def test_directions_are_those_of_the_cosines_and_else_those_that_the_file_says() -> None:
    assert stored(RAMP, ImageOrientationPatient=AXIAL).meaning.directions == ("L", "P")
    assert stored(RAMP, ImageOrientationPatient=AXIAL).meaning.orientation == tuple(AXIAL)
    said = stored(RAMP, PatientOrientation=["A", "FR"]).meaning
    assert (said.orientation, said.directions) == (None, ("A", "FR"))
    assert stored(RAMP, PatientOrientation=["DOE", "JOHN"]).meaning.directions is None
    assert stored(RAMP).meaning.directions is None


def test_each_frame_of_an_enhanced_image_has_its_own_orientation() -> None:
    groups = []
    for cosines in (AXIAL, [0, 1, 0, 0, 0, -1]):
        plane, group = Dataset(), Dataset()
        plane.ImageOrientationPatient = cosines
        group.PlaneOrientationSequence = [plane]
        groups.append(group)
    data = image(np.stack([RAMP, RAMP]), PerFrameFunctionalGroupsSequence=groups)
    file = read_dicom(data, MAX_PIXELS, HASHER)
    assert [file.stored(number).meaning.directions for number in (1, 2)] == [("L", "P"), ("P", "F")]
    with pytest.raises(ParameterError):
        file.stored(3)


def test_colour_of_eight_bits_is_red_green_and_blue() -> None:
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    elements = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "Rows": 3,
        "Columns": 4,
        "NumberOfFrames": None,
    }
    frame = stored(colours, PhotometricInterpretation="RGB", **elements)
    assert frame.type == "rgb8"
    assert np.array_equal(frame.values, colours)
    grey = np.full((3, 4, 3), 128, np.uint8)
    assert np.array_equal(stored(grey, PhotometricInterpretation="YBR_FULL", **elements).values, grey)


def test_what_needs_more_than_sixteen_bits_comes_as_presentation_values() -> None:
    values = np.arange(12, dtype=np.uint32).reshape(3, 4) * 100_000
    frame = stored(values, Modality="PT")
    shown = read_dicom(image(values, Modality="PT"), MAX_PIXELS, HASHER).frame(1).values
    assert (frame.type, frame.meaning.units) == ("uint16", StoredUnits.PRESENTATION)
    assert np.allclose(frame.values * frame.meaning.slope, shown, atol=1e-5)


def test_floats_in_hounsfield_units_come_as_whole_ones() -> None:
    values = np.array([[-1000.25, 40.5], [41.75, 3000]], np.float32)
    frame = stored(
        values, **CT | {"RescaleIntercept": "0"}, FloatPixelData=values.tobytes(), BitsAllocated=32
    )
    assert (frame.type, frame.meaning.units) == ("int16", StoredUnits.HU)
    assert np.array_equal(frame.values, [[-1000, 40], [42, 3000]])


def shown_by(frame: StoredFrame) -> NDArray[np.float64]:
    """Return what a viewer shows that reads the manual: HU, or grey through the file's first window."""
    meaning = frame.meaning
    values = frame.values * meaning.slope + meaning.intercept
    low, high = meaning.padding or (1, 0)
    padding = (frame.values >= low) & (frame.values <= high)
    if meaning.units is StoredUnits.HU:
        return np.where(padding, -1024, np.maximum(values, -1024))
    if meaning.units is StoredUnits.PRESENTATION:
        return values @ [0.299, 0.587, 0.114] if frame.type == "rgb8" else values
    if meaning.windows:
        grey = apply_window(values, Window(*meaning.windows[0], meaning.window_function))
    else:
        least, most = values[~padding].min(), values[~padding].max()
        grey = ((values - least) / max(most - least, 1e-9)).clip(0, 1)
    return np.where(padding, 0, 1 - grey if meaning.inverted else grey)


def test_real_files_are_shown_as_the_product_sees_them_by_what_is_told() -> None:
    compared = set()
    for path in sorted((Path(pydicom.data.__path__[0]) / "test_files").glob("*.dcm")):
        try:
            file = read_dicom(path.read_bytes(), MAX_PIXELS, HASHER)
            seen = file.frame(1)
        except DecodeError:
            continue
        frame = file.stored(1)
        assert np.allclose(shown_by(frame), seen.values, atol=2e-5), path.name
        compared.add((frame.type, frame.meaning.units))
    assert len(compared) >= 5
