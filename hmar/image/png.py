"""The chunks of a PNG (ISO/IEC 15948): what is needed for its pixels, and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ORIENTATION = b"eXIf"
_MAX_EXIF = 1 << 16
_FRAME, _CRC = 8, 4
_BIT_DEPTH = 24


def without_ancillary_chunks(data: bytes) -> bytes:
    """Return a PNG of the same pixels without text, colour profile and the like.

    Those may inflate to any size, and a decoder that guards itself against it refuses the picture with them.
    Exif, which may say which side is up, stays. From the first chunk that does not fit into the data, all
    stays as it is.
    """
    return SIGNATURE + b"".join(_kept(data))


def bit_depth(data: bytes) -> int:
    """Return the bits per sample that a PNG's header says."""
    return data[_BIT_DEPTH] if len(data) > _BIT_DEPTH else 8


def _kept(data: bytes) -> Iterator[bytes]:
    offset = len(SIGNATURE)
    while offset < len(data):
        header = data[offset : offset + _FRAME]
        if len(header) < _FRAME:
            break
        length, kind = struct.unpack(">I4s", header)
        end = offset + _FRAME + length + _CRC
        if end > len(data):
            break
        if kind in _NEEDED or (kind == _ORIENTATION and length <= _MAX_EXIF):
            yield data[offset:end]
        elif not kind[0] & 0x20:  # critical, and unknown: for the decoder to refuse
            break
        offset = end
    yield data[offset:]
