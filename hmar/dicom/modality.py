"""Stored values to modality values (PS3.3 C.11.1), and whether those are Hounsfield units."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.header import integer, numbers, text
from hmar.dicom.lut import byte_order, read_lut
from hmar.dicom.pixel_format import MONOCHROME
from hmar.dicom.remedies import SEND_AGAIN
from hmar.errors import DecodeError

Values = NDArray[np.float64]

# Rescale Types of a CT (PS3.3 C.11.1.1.2) that are Hounsfield units; older scanners wrote US, "unspecified",
# for them.
_HU_TYPES = frozenset({"", "HU", "HU_MOD", "US"})
_OTHER_TYPES = frozenset({"OD", "MGML", "Z_EFF", "ED", "EDW", "PCT"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_CT_SLOPES, _CT_INTERCEPTS = (1e-3, 10.0), (-32768.0, 0.0)
_ALIKE = 0.75


def modality_values(stored: NDArray[Any], header: Dataset) -> Values:
    """Apply the modality LUT sequence or the rescale of a frame; without either, values stay as stored.

    Raises
    ------
    DecodeError
        If slope or intercept is not a number, the slope is 0, or the table contradicts itself.
    """
    if items := header.get("ModalityLUTSequence"):
        signed = integer(header, "PixelRepresentation") == 1
        lut = read_lut(items[0], "LUT", "modality LUT", signed=signed, order=byte_order(header))
        return lut.look_up(stored, lut.entries.astype(np.float64))
    slope, intercept = rescale(header, "RescaleSlope"), rescale(header, "RescaleIntercept")
    values = stored.astype(np.float64)
    if slope is not None and intercept is not None:
        values *= slope
        values += intercept
    return values


def rescale(header: Dataset, keyword: str) -> float | None:
    """Return RescaleSlope or RescaleIntercept; raises DecodeError for a value that cannot be used."""
    found = numbers(header, keyword)
    if len(found) > 1:
        raise DecodeError(f"{keyword} has {len(found)} values; it may have one.", SEND_AGAIN)
    if found == [0.0] and keyword == "RescaleSlope":
        raise DecodeError("RescaleSlope is 0.", SEND_AGAIN)
    if not found and (text(header, keyword) or _is_unreadable(header, keyword)):
        raise DecodeError(f"{keyword} is not a number.", SEND_AGAIN)
    return found[0] if found else None


def can_be_negative(header: Dataset) -> bool:
    """Whether modality values may be negative: then a VOI LUT's first input has a sign (PS3.3 C.11.2.1.1)."""
    if header.get("ModalityLUTSequence"):
        return False
    slope, intercept = rescale(header, "RescaleSlope"), rescale(header, "RescaleIntercept")
    signed = integer(header, "PixelRepresentation") == 1
    if slope is None or intercept is None:
        return signed
    bits = integer(header, "BitsStored") or 16
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return min(end * slope + intercept for end in ends) < 0


def is_hounsfield(header: Dataset) -> bool:
    """Whether rescaled values are Hounsfield units.

    They are in a CT image with a rescale (PS3.3 C.8.2.1). Not in a secondary capture, whose numbers are those
    of a screen, nor in a localizer, a projection that the standard exempts from the Hounsfield scale. A
    Rescale Type that misspells Hounsfield counts where slope and intercept are those of a CT.
    """
    if not _is_rescaled_ct(header):
        return False
    kind = text(header, "RescaleType").upper()
    return kind in _HU_TYPES or (_means_hounsfield(kind) and _has_ct_rescale(header))


def units_note(header: Dataset) -> str | None:
    """Say why a rescaled CT is not taken as Hounsfield units; None where it is, and for all that is no CT."""
    if not _is_rescaled_ct(header) or is_hounsfield(header):
        return None
    kind = text(header, "RescaleType").upper()
    if kind in _OTHER_TYPES:
        return f"RescaleType is {kind}"
    if _means_hounsfield(kind):
        return "RescaleSlope and RescaleIntercept are not those of a CT"
    return "RescaleType is unknown"  # any text may be in its place, and is not repeated


def _is_rescaled_ct(header: Dataset) -> bool:
    image_type = [str(value).upper() for value in header.get("ImageType") or []]
    return (
        text(header, "Modality").upper() == "CT"
        and text(header, "PhotometricInterpretation") in MONOCHROME
        and not text(header, "SOPClassUID").startswith(_SECONDARY_CAPTURE)
        and "LOCALIZER" not in image_type[2:3]
        and not header.get("ModalityLUTSequence")
        and rescale(header, "RescaleSlope") is not None
        and rescale(header, "RescaleIntercept") is not None
    )


def _means_hounsfield(kind: str) -> bool:
    words = re.sub(r"[^A-Z]", "", kind).removesuffix("S").removesuffix("UNIT")
    return words in ("HU", "H") or SequenceMatcher(None, words, "HOUNSFIELD").ratio() >= _ALIKE


def _has_ct_rescale(header: Dataset) -> bool:
    slope, intercept = rescale(header, "RescaleSlope"), rescale(header, "RescaleIntercept")
    return (
        slope is not None
        and intercept is not None
        and _CT_SLOPES[0] <= slope <= _CT_SLOPES[1]
        and _CT_INTERCEPTS[0] <= intercept <= _CT_INTERCEPTS[1]
    )


def _is_unreadable(header: Dataset, keyword: str) -> bool:
    """Tell a malformed value from an empty one, which no accessor can."""
    element = header.get_item(keyword)
    return element is not None and bool(str(element.value or "").strip(" \0"))
