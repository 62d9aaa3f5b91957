"""Windowing against the formulas of PS3.3 C.11.2.1.2 written out by pixel, and against pydicom's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from hmar.dicom.lut import Window, apply_window
from tests.hmar.dicom.build import image, lut, only, ramp

VALUES = st.lists(st.floats(-5000, 5000), min_size=1, max_size=8)
CENTRES = st.floats(-2000, 2000)


def linear(x: float, c: float, w: float) -> float:
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 1.0
    return (x - (c - 0.5)) / (w - 1) + 0.5


def linear_exact(x: float, c: float, w: float) -> float:
    if x <= c - w / 2:
        return 0.0
    if x > c + w / 2:
        return 1.0
    return (x - c) / w + 0.5


def sigmoid(x: float, c: float, w: float) -> float:
    power = -4 * (x - c) / w
    return 0.0 if power > 700 else 1 / (1 + math.exp(power))


@given(VALUES, CENTRES, st.one_of(st.just(1.0), st.floats(1.001, 4000)))
def test_linear_windows_follow_the_standard(values: list[float], centre: float, width: float) -> None:
    expected = [linear(x, centre, width) for x in values]
    np.testing.assert_allclose(apply_window(np.array(values), Window(centre, width)), expected, atol=1e-6)


@given(VALUES, CENTRES, st.floats(0.01, 4000))
def test_linear_exact_windows_follow_the_standard(values: list[float], centre: float, width: float) -> None:
    expected = [linear_exact(x, centre, width) for x in values]
    found = apply_window(np.array(values), Window(centre, width, "LINEAR_EXACT"))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(VALUES, CENTRES, st.floats(0.01, 4000))
def test_sigmoid_windows_follow_the_standard(values: list[float], centre: float, width: float) -> None:
    expected = [sigmoid(x, centre, width) for x in values]
    found = apply_window(np.array(values), Window(centre, width, "SIGMOID"))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_agree_with_pydicom(function: str) -> None:
    values = np.arange(-50.0, 350.0)
    header = Dataset()
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = 100, 120, function
    header.PhotometricInterpretation, header.BitsStored, header.PixelRepresentation = "MONOCHROME2", 8, 0
    expected = apply_windowing(values, header) / 255
    np.testing.assert_allclose(apply_window(values, Window(100, 120, function)), expected, atol=1e-12)


def test_the_first_of_several_windows_is_applied_to_rescaled_values() -> None:
    frame = only(
        image(
            ramp(),
            Modality="MR",
            RescaleSlope=2,
            RescaleIntercept=-3,
            WindowCenter=[10, 99],
            WindowWidth=[20, 1],
        )
    )
    expected = [linear(2 * x - 3, 10, 20) for x in range(20)]
    np.testing.assert_allclose(frame.values.ravel(), expected, atol=1e-6)
    assert frame.display_window is None


@pytest.mark.parametrize("width", [0, 0.5, -3])
def test_a_width_that_the_standard_forbids_is_no_window(width: float) -> None:
    frame = only(image(ramp(), WindowCenter=10, WindowWidth=width))
    np.testing.assert_allclose(frame.values.ravel(), np.arange(20) / 19, atol=1e-6)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_modality_lut_maps_stored_values(implicit: bool) -> None:
    # Stored 0..19; the table begins at 5 and has 8 entries: below and above, the ends repeat.
    table = [10, 20, 40, 80, 120, 160, 200, 250]
    data = image(ramp(), ModalityLUTSequence=[lut([8, 5, 8], table)], implicit=implicit)
    expected = np.array([table[min(max(x - 5, 0), 7)] for x in range(20)])
    np.testing.assert_allclose(only(data).values.ravel(), (expected - 10) / 240, atol=1e-6)


def test_a_modality_lut_may_begin_below_zero() -> None:
    stored = ramp(np.int16) - 10
    data = image(stored.astype(np.int16), ModalityLUTSequence=[lut([16, -8, 16], list(range(0, 160, 10)))])
    expected = [10 * min(max(x + 8, 0), 15) / 150 for x in range(-10, 10)]
    np.testing.assert_allclose(only(data).values.ravel(), expected, atol=1e-6)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_voi_lut_is_preferred_to_a_window_and_scaled_by_its_depth(implicit: bool) -> None:
    table = [0, 100, 300, 1023]
    data = image(
        ramp(), VOILUTSequence=[lut([4, 3, 10], table)], WindowCenter=1, WindowWidth=2, implicit=implicit
    )
    expected = [table[min(max(x - 3, 0), 3)] / 1023 for x in range(20)]
    np.testing.assert_allclose(only(data).values.ravel(), expected, atol=1e-6)


def test_monochrome1_is_inverted() -> None:
    plain = only(image(ramp(), WindowCenter=10, WindowWidth=20)).values
    inverted = only(
        image(ramp(), WindowCenter=10, WindowWidth=20, PhotometricInterpretation="MONOCHROME1")
    ).values
    np.testing.assert_allclose(inverted, 1 - plain, atol=1e-6)


def test_a_blank_frame_without_a_window_is_black() -> None:
    assert not only(image(np.full((3, 3), 7, np.uint16))).values.any()
