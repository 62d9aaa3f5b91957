"""Stored values to modality values, and those to presentation values (PS3.3 C.11.1 and C.11.2).

Lookup tables are pydicom's; display windows are not, because its ``apply_windowing`` maps to the range of the
stored values instead of 0 to 1, and its sigmoid overflows far from a narrow window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi

from hmar.dicom.header import numbers, text
from hmar.errors import DecodeError

Values = NDArray[np.float64]


class Window(NamedTuple):
    """A display window: centre and width in modality values, and its VOI LUT Function (0028,1056)."""

    centre: float
    width: float
    function: str = "LINEAR"


def modality_values(stored: NDArray[np.generic], header: Dataset) -> Values:
    """Apply the modality LUT sequence or the rescale of a frame; without either, values stay as stored.

    Raises
    ------
    DecodeError
        If slope or intercept is not a number, or the slope is 0.
    """
    rescaled = Dataset()
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        if (value := rescale(header, keyword)) is not None:
            setattr(rescaled, keyword, value)
    if lut := header.get("ModalityLUTSequence"):
        rescaled.file_meta = header.file_meta
        rescaled.ModalityLUTSequence = lut
        # As wide signed integers: pydicom subtracts the first value mapped, which may be negative.
        stored = stored.astype(np.int64)
    return np.asarray(apply_modality_lut(stored, rescaled), dtype=np.float64)


def rescale(header: Dataset, keyword: str) -> float | None:
    """Return RescaleSlope or RescaleIntercept; raises DecodeError for a value that cannot be used."""
    found = numbers(header, keyword)
    if len(found) == 1 and (found[0] != 0 or keyword == "RescaleIntercept"):
        return found[0]
    if not found and not text(header, keyword) and not _unreadable(header, keyword):
        return None
    raise DecodeError(f"{keyword} is 0 or not a number.", "Send the instance again from its source.")


def display_window(header: Dataset) -> Window | None:
    """Return the first window of a frame; None without one, or with a width that its function forbids.

    Raises
    ------
    DecodeError
        If the VOI LUT Function is not one of LINEAR, LINEAR_EXACT and SIGMOID.
    """
    centres, widths = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    if not centres or not widths:
        return None
    function = text(header, "VOILUTFunction").upper() or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise DecodeError(
            "The VOI LUT Function is not one of LINEAR, LINEAR_EXACT and SIGMOID.",
            "Send the instance again from its source.",
        )
    allowed = widths[0] >= 1 if function == "LINEAR" else widths[0] > 0
    return Window(centres[0], widths[0], function) if allowed else None


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
    descriptor = numbers(header.VOILUTSequence[0], "LUTDescriptor")
    if len(descriptor) != 3:
        raise DecodeError("The VOI LUT has no LUT Descriptor.", "Send the instance again from its source.")
    entries, first, bits = (int(value) for value in descriptor)
    # Clipped here because pydicom's index has 16 bits and would wrap around.
    inputs = np.clip(np.rint(values), first, first + (entries or 2**16) - 1).astype(np.int64)
    outputs = apply_voi(inputs, header)
    return (np.asarray(outputs, dtype=np.float64) / ((1 << bits) - 1)).clip(0.0, 1.0)


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


def _unreadable(header: Dataset, keyword: str) -> bool:
    """Tell a malformed value from an empty one, which no accessor can."""
    element = header.get_item(keyword)
    return element is not None and bool(str(element.value or "").strip(" \0"))
