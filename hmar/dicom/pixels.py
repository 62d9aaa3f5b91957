"""One frame's pixels, from the stored bytes to Hounsfield units or presentation values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from hmar.dicom.codestream import encoded_size
from hmar.dicom.header import integer, numbers, text
from hmar.dicom.lut import Values, display_window, modality_values, presentation_values, rescale
from hmar.errors import DecodeError
from hmar.values.frames import FloatArray, Units

MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
PALETTE = "PALETTE COLOR"

PADDING_HU = -1024.0
# Types of rescaled CT values that are Hounsfield units (PS3.3 C.11.1.1.2); older scanners wrote US,
# "unspecified", for them.
_HU_TYPES = frozenset({"", "HU", "HU_MOD", "US"})
_PALETTE = "PaletteColorLookupTable"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# ITU-R BT.601 luma, the Y of DICOM's YBR_FULL (PS3.3 C.7.6.3.1.2).
_LUMA = np.array([0.299, 0.587, 0.114])
_PADDING_KEYWORDS = (
    ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
)


def decode_frame(
    dataset: Dataset, header: Dataset, frame_number: int, frames: int
) -> tuple[FloatArray, Units, tuple[float, float] | None]:
    """Decode one frame.

    Parameters
    ----------
    dataset : Dataset
        The image.
    header : Dataset
        What holds for this frame, see :func:`hmar.dicom.header.frame_header`.
    frame_number, frames : int
        Which frame (from 1) of how many.

    Returns
    -------
    values : ndarray of float32, shape (rows, columns)
        Hounsfield units from -1024 for a rescaled CT, else presentation values from 0 to 1. Padding, and what
        lies below -1024 HU, is -1024 HU; padding of presentation values is black.
    units : Units
        Which of the two.
    window : tuple of float or None
        The file's display window (centre, width) in HU; None where already applied, or where there is none.
    """
    _check_encoded_size(dataset, frame_number, frames)
    stored = pixel_array(dataset, index=frame_number - 1)
    photometric = text(header, "PhotometricInterpretation")
    if photometric == PALETTE:
        return _finished(_palette_luminance(stored, dataset).clip(0, 1)), Units.PRESENTATION, None
    if photometric in COLOUR:
        white = 2 ** (integer(dataset, "BitsStored") or 8) - 1
        return _finished((stored @ (_LUMA / white)).clip(0, 1)), Units.PRESENTATION, None
    valid = ~_padding(stored, header)
    if stored.dtype.kind == "f":
        stored = np.where(np.isfinite(stored), stored, 0.0)
    values = modality_values(stored, header)
    if is_hounsfield(header):
        # Scanners fill what they did not measure with -2000 or -3024 and seldom declare it as padding.
        values = np.where(valid, np.maximum(values, PADDING_HU), PADDING_HU)
        window = display_window(header)
        return _finished(values), Units.HU, window and (window.centre, window.width)
    shown = presentation_values(values, valid, header)
    shown[~valid] = 0.0
    return _finished(shown), Units.PRESENTATION, None


def is_hounsfield(header: Dataset) -> bool:
    """Whether rescaled values are Hounsfield units.

    They are in a CT image with a rescale (PS3.3 C.8.2.1). Not in a secondary capture, whose numbers are those
    of a screen, nor in a localizer, a projection that the standard exempts from the Hounsfield scale.
    """
    image_type = [str(value).upper() for value in header.get("ImageType") or []]
    return (
        text(header, "Modality").upper() == "CT"
        and text(header, "PhotometricInterpretation") in MONOCHROME
        and not text(header, "SOPClassUID").startswith(_SECONDARY_CAPTURE)
        and "LOCALIZER" not in image_type[2:3]
        and not header.get("ModalityLUTSequence")
        and rescale(header, "RescaleSlope") is not None
        and rescale(header, "RescaleIntercept") is not None
        and text(header, "RescaleType").upper() in _HU_TYPES
    )


def _padding(stored: NDArray[Any], header: Dataset) -> NDArray[np.bool_]:
    """Mark padding pixels (PS3.3 C.7.5.1.1.2); in float pixel data, also what is not a finite number."""
    mask: NDArray[np.bool_] = ~np.isfinite(stored)
    integers = stored.dtype.kind != "f"
    for value_keyword, limit_keyword in _PADDING_KEYWORDS:
        if integers != (value_keyword == "PixelPaddingValue"):
            continue
        if not (value := numbers(header, value_keyword)[:1]):
            continue
        ends = [*value, *numbers(header, limit_keyword)[:1]]
        if integers:
            ends = [float(_as_stored(end, header)) for end in ends]
        mask |= (stored >= min(ends)) & (stored <= max(ends))
    return mask


def _as_stored(value: float, header: Dataset) -> int:
    """Read a padding value in the signedness of the pixels: files write 63536 for a signed -2000."""
    bits = integer(header, "BitsAllocated") or 16
    unsigned: int = int(value) % 2**bits
    signed = integer(header, "PixelRepresentation") == 1 and unsigned >= 2 ** (bits - 1)
    return unsigned - 2**bits if signed else unsigned


def _palette_luminance(stored: NDArray[Any], dataset: Dataset) -> Values:
    if not dataset.file_meta.TransferSyntaxUID.is_little_endian:
        dataset = _little_endian_palette(dataset)
    colours = apply_color_lut(stored, dataset)[..., :3]
    return np.asarray(colours @ (_LUMA / np.iinfo(colours.dtype).max), dtype=np.float64)


def _little_endian_palette(dataset: Dataset) -> Dataset:
    """Swap the bytes of palette data of VR OW, which pydicom hands out and reads back without doing so."""
    palette = Dataset()
    palette.file_meta = dataset.file_meta
    for colour in ("Red", "Green", "Blue"):
        for keyword in (f"{colour}{_PALETTE}Descriptor", f"Segmented{colour}{_PALETTE}Data"):
            if keyword in dataset:
                palette[keyword] = dataset[keyword]
        if (keyword := f"{colour}{_PALETTE}Data") in dataset:
            words = np.frombuffer(dataset[keyword].value, dtype=">u2")
            setattr(palette, keyword, words.astype("<u2").tobytes())
    return palette


def _check_encoded_size(dataset: Dataset, frame_number: int, frames: int) -> None:
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    found = encoded_size(get_frame(dataset.PixelData, frame_number - 1, number_of_frames=frames))
    expected = (dataset.Rows, dataset.Columns)
    if found is not None and found != expected:
        raise DecodeError(
            f"The compressed frame {frame_number} has {found[0]} x {found[1]} pixels, "
            f"the header says {expected[0]} x {expected[1]}.",
            "Send the instance again from its source.",
        )


def _finished(values: Values) -> FloatArray:
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    if not np.isfinite(result).all():
        raise DecodeError(
            "The pixel values leave the range of 32-bit floats.", "Check the rescale slope of the instance."
        )
    return result
