"""One frame's pixels, from the stored bytes to Hounsfield units or presentation values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.codecs import decode_stream
from hmar.dicom.colour import colour_space, luminance, palette_luminance
from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.dicom.header import integer, numbers, text
from hmar.dicom.modality import Values, is_hounsfield, modality_values, units_note
from hmar.dicom.native import native_cells
from hmar.dicom.pixel_format import COLOUR, PALETTE, PixelFormat, pixel_format
from hmar.dicom.presentation import display_window, presentation_values
from hmar.dicom.stored import stored_values
from hmar.dicom.stream import StreamHeader
from hmar.dicom.syntaxes import checked_stream
from hmar.errors import DecodeError
from hmar.values.frames import FloatArray, Units

PADDING_HU = -1024.0
_PADDING_KEYWORDS = (
    ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
)


class Pixels(NamedTuple):
    """Decoded pixels.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, columns)
        Hounsfield units from -1024 for a rescaled CT, else presentation values from 0 to 1. Padding, and what
        lies below -1024 HU, is -1024 HU; padding of presentation values is black.
    units : Units
        Which of the two.
    display_window : tuple of float or None
        The file's display window (centre, width) in HU; None where already applied, or where there is none.
    units_note : str or None
        Why a CT's values are not in Hounsfield units, where that needs a reason.
    """

    values: FloatArray
    units: Units
    display_window: tuple[float, float] | None = None
    units_note: str | None = None


def decode_frame(
    dataset: Dataset, header: Dataset, frame_number: int, streams: EncapsulatedFrames | None
) -> Pixels:
    """Decode one frame.

    Parameters
    ----------
    dataset : Dataset
        The image.
    header : Dataset
        What holds for this frame, see :func:`hmar.dicom.header.frame_header`.
    frame_number : int
        Which frame, from 1.
    streams : EncapsulatedFrames or None
        The image's compressed frames, None where they are not compressed.

    Raises
    ------
    DecodeError
        If the pixels contradict the header.
    """
    stored, stream = stored_frame(dataset, frame_number, streams)
    photometric = text(header, "PhotometricInterpretation")
    if photometric == PALETTE:
        return Pixels(_finished(palette_luminance(stored, dataset)), Units.PRESENTATION)
    if photometric in COLOUR:
        space, bits = colour_space(photometric, stream), integer(dataset, "BitsStored") or 8
        return Pixels(_finished(luminance(stored, space, bits)), Units.PRESENTATION)
    return _grey(stored, header)


def stored_frame(
    dataset: Dataset, frame_number: int, streams: EncapsulatedFrames | None
) -> tuple[NDArray[Any], StreamHeader | None]:
    """Return the stored values of a frame, and the header of its stream if it is compressed."""
    if "PixelData" not in dataset:
        return native_cells(dataset, frame_number), None
    layout = pixel_format(dataset)
    if streams is not None:
        return _decompressed(streams[frame_number], dataset, layout, frame_number)
    cells = native_cells(dataset, frame_number)
    return stored_values(cells, layout.bits_stored, layout.high_bit, layout.signed), None


def _decompressed(
    frame: bytes, dataset: Dataset, layout: PixelFormat, frame_number: int
) -> tuple[NDArray[Any], StreamHeader]:
    """Return the stored values of a compressed frame and the header of its stream.

    A stream of more bits than BitsStored holds the cells, overlays in unused bits with them. One that is
    lossy holds no such bits, but values that overshoot; they are clipped. One of no more bits holds plain
    values.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    stream = checked_stream(frame, syntax, layout, frame_number)
    cells = decode_stream(frame, syntax, stream, layout)
    precision, bits = stream.precision or layout.bits_allocated, layout.bits_stored
    if precision <= bits:
        return stored_values(cells, precision, precision - 1, layout.signed), stream
    if stream.lossy and bool(stream.signed) == layout.signed and layout.high_bit == bits - 1:
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if layout.signed else (0, 2**bits - 1)
        return stored_values(cells, precision, precision - 1, layout.signed).clip(low, high), stream
    return stored_values(cells, bits, layout.high_bit, layout.signed), stream


def _grey(stored: NDArray[Any], header: Dataset) -> Pixels:
    valid = ~_padding(stored, header)
    if stored.dtype.kind == "f":
        stored = np.where(np.isfinite(stored), stored, 0.0)
    values = modality_values(stored, header)
    if is_hounsfield(header):
        # Scanners fill what they did not measure with -2000 or -3024 and seldom declare it as padding.
        values = np.where(valid, np.maximum(values, PADDING_HU), PADDING_HU)
        window = display_window(header)
        return Pixels(_finished(values), Units.HU, window and (window.centre, window.width))
    shown = presentation_values(values, valid, header)
    shown[~valid] = 0.0
    return Pixels(_finished(shown), Units.PRESENTATION, None, units_note(header))


def padding_range(header: Dataset) -> tuple[int, int] | None:
    """Return the least and largest stored integer that is padding (PS3.3 C.7.5.1.1.2), None without any."""
    ends = _padding_ends(header, *_PADDING_KEYWORDS[0])
    stored = [_as_stored(end, header) for end in ends]
    return (min(stored), max(stored)) if stored else None


def _padding(stored: NDArray[Any], header: Dataset) -> NDArray[np.bool_]:
    """Mark padding pixels; in float pixel data, also what is not a finite number."""
    mask: NDArray[np.bool_] = ~np.isfinite(stored)
    if stored.dtype.kind != "f":
        if ends := padding_range(header):
            mask |= (stored >= ends[0]) & (stored <= ends[1])
        return mask
    for keywords in _PADDING_KEYWORDS[1:]:
        if floats := _padding_ends(header, *keywords):
            mask |= (stored >= min(floats)) & (stored <= max(floats))
    return mask


def _padding_ends(header: Dataset, value_keyword: str, limit_keyword: str) -> list[float]:
    value = numbers(header, value_keyword)[:1]
    return [*value, *numbers(header, limit_keyword)[:1]] if value else []


def _as_stored(value: float, header: Dataset) -> int:
    """Read a padding value in the signedness of the pixels: files write 63536 for a signed -2000."""
    bits = integer(header, "BitsAllocated") or 16
    unsigned: int = int(value) % 2**bits
    signed = integer(header, "PixelRepresentation") == 1 and unsigned >= 2 ** (bits - 1)
    return unsigned - 2**bits if signed else unsigned


def _finished(values: Values) -> FloatArray:
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    if not np.isfinite(result).all():
        raise DecodeError(
            "The pixel values leave the range of 32-bit floats.", "Check the rescale slope of the instance."
        )
    return result
