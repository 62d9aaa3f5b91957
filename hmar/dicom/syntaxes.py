"""The transfer syntaxes of compressed pixels: what their streams are, and the one decoder of each.

No other decoder is tried: one that opens any format would decode what the transfer syntax does not name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydicom import uid

from hmar.dicom.pixel_format import PixelFormat
from hmar.dicom.remedies import SEND_AGAIN
from hmar.dicom.stream import Kind, StreamHeader, read_stream_header
from hmar.dicom.stream.read import starts_stream
from hmar.errors import DecodeError, LimitError
from hmar.values.frames import MAX_PROGRESSIVE_SAMPLES


class Decoder(StrEnum):
    """The libraries that decode."""

    GDCM = "gdcm"
    OPENJPEG = "openjpeg"
    PILLOW = "pillow"
    RLE = "rle"


class Syntax(NamedTuple):
    """A transfer syntax: the streams it may hold, the bits their samples may be allocated, its decoder."""

    kinds: tuple[Kind, ...]
    bits_allocated: tuple[int, ...]
    decoder: Decoder
    precisions: range = range(1, 39)


_JPEG_CELLS = (8, 16)
_JPEG_2000 = Syntax((Kind.JPEG_2000, Kind.HTJ2K), (8, 16, 32), Decoder.OPENJPEG, range(1, 33))
_JPEG_LOSSLESS = Syntax((Kind.LOSSLESS,), _JPEG_CELLS, Decoder.GDCM)
_JPEG_LS = Syntax((Kind.JPEG_LS,), _JPEG_CELLS, Decoder.GDCM)

SYNTAXES: dict[str, Syntax] = {
    uid.JPEGBaseline8Bit: Syntax(
        (Kind.BASELINE, Kind.EXTENDED, Kind.PROGRESSIVE), _JPEG_CELLS, Decoder.PILLOW, range(8, 9)
    ),
    # libjpeg-turbo, as Pillow is built with it, reads 8 bits only.
    uid.JPEGExtended12Bit: Syntax((Kind.BASELINE, Kind.EXTENDED), _JPEG_CELLS, Decoder.GDCM, range(8, 13)),
    uid.JPEGLossless: _JPEG_LOSSLESS,
    uid.JPEGLosslessSV1: _JPEG_LOSSLESS,
    uid.JPEGLSLossless: _JPEG_LS,
    uid.JPEGLSNearLossless: _JPEG_LS,
    uid.JPEG2000Lossless: _JPEG_2000,
    uid.JPEG2000: _JPEG_2000,
    uid.HTJ2KLossless: _JPEG_2000,
    uid.HTJ2KLosslessRPCL: _JPEG_2000,
    uid.HTJ2K: _JPEG_2000,
    uid.RLELossless: Syntax((Kind.RLE,), (8, 16, 32), Decoder.RLE),
}


def checked_stream(frame: bytes, syntax_uid: uid.UID, pixels: PixelFormat, frame_number: int) -> StreamHeader:
    """Return the header of a compressed frame if it and the data set agree.

    Raises
    ------
    DecodeError
        If they contradict each other; both values are named.
    LimitError
        If it is a progressive JPEG of more samples than are allowed.
    """
    syntax = SYNTAXES[syntax_uid]
    if Kind.RLE not in syntax.kinds and not starts_stream(frame):
        raise _refused(f"The compressed frame {frame_number} is no stream of {syntax_uid.name}")
    try:
        found = read_stream_header(frame)
    except DecodeError as error:
        raise DecodeError(f"Frame {frame_number}: {error.detail}", error.remedy) from None
    if found.kind not in syntax.kinds:
        raise _refused(
            f"The compressed frame {frame_number} is {found.kind}, the transfer syntax is {syntax_uid.name}"
        )
    if syntax.decoder is Decoder.GDCM and not found.ended:
        raise _refused(f"The compressed frame {frame_number} is cut: its end marker is missing")
    if pixels.bits_allocated not in syntax.bits_allocated:
        raise _refused(
            f"BitsAllocated is {pixels.bits_allocated}, the compressed frame {frame_number} is {found.kind}"
            + (f" of {found.precision} bits" if found.precision else "")
        )
    if found.kind is Kind.PROGRESSIVE:
        _check_progressive(found, frame_number)
    if found.kind is Kind.RLE:
        _check_segments(found, pixels, frame_number)
    else:
        _check_samples(found, syntax_uid, pixels, frame_number)
    return found


def _check_progressive(found: StreamHeader, frame_number: int) -> None:
    """Refuse too many samples: all coefficients are held until the last scan."""
    samples = (found.rows or 0) * (found.columns or 0) * (found.components or 0)
    if samples > MAX_PROGRESSIVE_SAMPLES:
        raise LimitError(
            f"The compressed frame {frame_number} is a progressive JPEG of {samples} samples; "
            f"{MAX_PROGRESSIVE_SAMPLES} are allowed.",
            "Store it as a baseline JPEG or in smaller frames.",
        )


def _check_segments(found: StreamHeader, pixels: PixelFormat, frame_number: int) -> None:
    needed = pixels.samples * pixels.bits_allocated // 8
    if found.segments != needed:
        raise _refused(
            f"The compressed frame {frame_number} has {found.segments} RLE segments; SamplesPerPixel "
            f"{pixels.samples} and BitsAllocated {pixels.bits_allocated} make {needed}"
        )


def _check_samples(found: StreamHeader, syntax_uid: uid.UID, pixels: PixelFormat, frame_number: int) -> None:
    name, precision = f"The compressed frame {frame_number}", found.precision or 0
    if (found.rows, found.columns) != (pixels.rows, pixels.columns):
        raise _refused(
            f"{name} has {found.rows} x {found.columns} pixels, "
            f"the header says {pixels.rows} x {pixels.columns}"
        )
    if found.components != pixels.samples:
        raise _refused(f"{name} has {found.components} components, SamplesPerPixel is {pixels.samples}")
    if precision not in SYNTAXES[syntax_uid].precisions:
        raise _refused(f"{name} has {precision} bits per sample, for which {syntax_uid.name} has no decoder")
    if precision > pixels.bits_allocated:
        raise _refused(f"{name} has {precision} bits per sample, BitsAllocated is {pixels.bits_allocated}")
    if precision < pixels.bits_stored and not _narrower_is_plain(found, pixels):
        raise _refused(f"{name} has {precision} bits per sample, BitsStored is {pixels.bits_stored}")
    if precision > pixels.bits_stored and pixels.high_bit >= precision:
        raise _refused(f"{name} has {precision} bits per sample, HighBit is {pixels.high_bit}")


def _narrower_is_plain(found: StreamHeader, pixels: PixelFormat) -> bool:
    """Whether a stream of fewer bits than BitsStored still holds the stored values.

    A lossless one does, where its samples have the sign that PixelRepresentation says. A lossy one does not:
    it is that of an image scaled to fewer bits, to which the rescale no longer belongs.
    """
    return not found.lossy and bool(found.signed) == pixels.signed


def _refused(what: str) -> DecodeError:
    return DecodeError(f"{what}.", SEND_AGAIN)
