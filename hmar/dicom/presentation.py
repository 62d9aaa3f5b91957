"""Modality values to presentation values from 0 to 1 (PS3.3 C.11.2).

Display windows are not pydicom's: its ``apply_windowing`` maps to the range of the stored values instead of 0
to 1, and its sigmoid overflows far from a narrow window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.header import numbers, text
from hmar.dicom.lut import byte_order, read_lut, white_of
from hmar.dicom.modality import Values, can_be_negative
from hmar.dicom.remedies import SEND_AGAIN
from hmar.errors import DecodeError


class Window(NamedTuple):
    """A display window: centre and width in modality values, and its VOI LUT Function (0028,1056)."""

    centre: float
    width: float
    function: str = "LINEAR"


def display_window(header: Dataset) -> Window | None:
    """Return the first window of a frame; None without one, or with a width that its function forbids.

    Raises
    ------
    DecodeError
        If the VOI LUT Function is not one of LINEAR, LINEAR_EXACT and SIGMOID.
    """
    first = next(iter(_windows(header)), None)
    return first if first is not None and _is_allowed(first) else None


def display_windows(header: Dataset) -> list[Window]:
    """Return all windows of a frame whose widths their function allows; raises as :func:`display_window`."""
    return list(filter(_is_allowed, _windows(header)))


def _windows(header: Dataset) -> list[Window]:
    centres, widths = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    if not centres or not widths:
        return []
    function = text(header, "VOILUTFunction").upper() or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise DecodeError("The VOI LUT Function is not one of LINEAR, LINEAR_EXACT and SIGMOID.", SEND_AGAIN)
    return [Window(*pair, function) for pair in zip(centres, widths, strict=False)]


def _is_allowed(window: Window) -> bool:
    return window.width >= 1 if window.function == "LINEAR" else window.width > 0


def apply_window(values: Values, window: Window) -> Values:
    """Map modality values to 0..1 through a window (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    centre, width, function = window
    if function == "SIGMOID":
        # 1 / (1 + exp(-4 (x - c) / w)), written so that it cannot overflow.
        return np.asarray(0.5 * (1.0 + np.tanh(2.0 * (values - centre) / width)))
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1.0
    if width == 0:
        return (values > centre).astype(np.float64)
    return np.asarray(np.clip((values - centre) / width + 0.5, 0.0, 1.0))


def apply_voi_lut(values: Values, header: Dataset) -> Values:
    """Map modality values to 0..1 through the first item of the VOI LUT sequence (PS3.3 C.11.2.1.1)."""
    lut = read_lut(
        header.VOILUTSequence[0],
        "LUT",
        "VOI LUT",
        signed=can_be_negative(header),
        order=byte_order(header),
    )
    return lut.look_up(values, lut.entries / white_of([lut]))


def presentation_values(values: Values, valid: NDArray[np.bool_], header: Dataset) -> Values:
    """Map modality values to 0 (black) .. 1 (white).

    Parameters
    ----------
    values : ndarray of float64
        Modality values.
    valid : ndarray of bool, same shape
        False where a pixel is padding.
    header : Dataset
        The frame's: its VOI LUT is used, else its first window, else the range of the valid values.

    Returns
    -------
    ndarray of float64, same shape
        Inverted for MONOCHROME1 (PS3.3 C.7.6.3.1.2). Padding is not treated here.
    """
    if header.get("VOILUTSequence"):
        shown = apply_voi_lut(values, header)
    elif window := display_window(header):
        shown = apply_window(values, window)
    else:
        shown = _full_range(values, valid)
    return 1.0 - shown if text(header, "PhotometricInterpretation") == "MONOCHROME1" else shown


def _full_range(values: Values, valid: NDArray[np.bool_]) -> Values:
    if not valid.any():
        return np.zeros_like(values)
    low, high = float(values[valid].min()), float(values[valid].max())
    if high == low:
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low)).clip(0.0, 1.0)
