"""Windowing against the formulas of PS3.3 C.11.2.1.2 written out by pixel, and against pydicom's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from hmar.dicom.presentation import Window, apply_window
from tests.hmar.dicom.build import image, only, ramp

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


@pytest.mark.slow
@given(VALUES, CENTRES, st.one_of(st.just(1.0), st.floats(1.001, 4000)))
def test_linear_windows_follow_the_standard(values: list[float], centre: float, width: float) -> None:
    expected = [linear(x, centre, width) for x in values]
    np.testing.assert_allclose(apply_window(np.array(values), Window(centre, width)), expected, atol=1e-6)


@pytest.mark.slow
@given(VALUES, CENTRES, st.floats(0.01, 4000))
def test_linear_exact_windows_follow_the_standard(values: list[float], centre: float, width: float) -> None:
    expected = [linear_exact(x, centre, width) for x in values]
    found = apply_window(np.array(values), Window(centre, width, "LINEAR_EXACT"))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
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


def test_monochrome1_is_inverted() -> None:
    plain = only(image(ramp(), WindowCenter=10, WindowWidth=20)).values
    inverted = only(
        image(ramp(), WindowCenter=10, WindowWidth=20, PhotometricInterpretation="MONOCHROME1")
    ).values
    np.testing.assert_allclose(inverted, 1 - plain, atol=1e-6)


def test_a_blank_frame_without_a_window_is_black() -> None:
    assert not only(image(np.full((3, 3), 7, np.uint16))).values.any()
