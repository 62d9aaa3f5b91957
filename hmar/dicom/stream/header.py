"""The header of a compressed stream as a value, and bytes that cannot be read out of bounds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hmar.dicom.remedies import CHECK_COMPLETE
from hmar.errors import DecodeError


class Kind(StrEnum):
    """What a compressed stream is."""

    BASELINE = "a baseline JPEG"
    EXTENDED = "an extended sequential JPEG"
    PROGRESSIVE = "a progressive JPEG"
    LOSSLESS = "a lossless JPEG"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    HTJ2K = "HTJ2K"
    RLE = "RLE"


class Colour(StrEnum):
    """The colour space that a JPEG says its three components have."""

    RGB = "RGB"
    YCBCR = "YCbCr"


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a compressed stream says of its samples.

    Parameters
    ----------
    kind : Kind
        The compression.
    rows, columns : int or None
        Size in pixels; None for RLE, which does not say.
    components : int or None
        Samples per pixel; None for RLE, which says segments.
    precision : int or None
        Bits per sample; None for RLE.
    signed : bool or None
        Sign of the samples; None where the compression has none.
    lossy : bool
        Whether a transform rounds the samples, so that they may leave the range of the original.
    colour : Colour or None
        Colour space of three components, where a JPEG says it.
    segments : int or None
        For RLE, the number of segments: one for each byte of each sample of a pixel.
    ended : bool
        Whether the marker that ends the stream is there; without it, the stream is cut.
    """

    kind: Kind
    rows: int | None = None
    columns: int | None = None
    components: int | None = None
    precision: int | None = None
    signed: bool | None = None
    lossy: bool = False
    colour: Colour | None = None
    segments: int | None = None
    ended: bool = True


class Bytes:
    """The bytes of a stream by offset; what lies beyond them raises DecodeError."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``."""
        if offset < 0 or offset + length > len(self._data):
            raise damaged("ends within its own header")
        return self._data[offset : offset + length]

    def u8(self, offset: int) -> int:
        """Return the byte at ``offset``."""
        return self.at(offset, 1)[0]

    def u16(self, offset: int) -> int:
        """Return the big-endian 16-bit integer at ``offset``."""
        return int.from_bytes(self.at(offset, 2), "big")

    def u32(self, offset: int) -> int:
        """Return the big-endian 32-bit integer at ``offset``."""
        return int.from_bytes(self.at(offset, 4), "big")


def damaged(what: str) -> DecodeError:
    """Return the error of a stream that contradicts itself."""
    return DecodeError(f"The compressed stream {what}.", CHECK_COMPLETE)
