"""The size that a compressed frame claims for itself, read without decoding it."""

from __future__ import annotations

import struct

_START_OF_CODESTREAM_AND_SIZE = b"\xff\x4f\xff\x51"
_JPEG = b"\xff\xd8"
# SOF0-15 without DHT, JPG and DAC (ISO/IEC 10918-1, table B.1), and SOF55 of JPEG-LS (ISO/IEC 14495-1).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})


def encoded_size(frame: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) of a JPEG, JPEG-LS or JPEG 2000 frame; None if it does not say.

    A decoder allocates what the compressed frame claims, whatever the DICOM header says: a few hundred
    bytes can claim gigabytes. The caller compares before it decodes.
    """
    try:
        if frame[:2] == _JPEG:
            return _jpeg_size(frame)
        if (start := frame[:4096].find(_START_OF_CODESTREAM_AND_SIZE)) >= 0:
            # SIZ (ISO/IEC 15444-1 A.5.1): length, capabilities, then extent and offset of the grid.
            columns, rows, left, top = struct.unpack_from(">4I", frame, start + 8)
            return rows - top, columns - left
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    offset = 2
    while frame[offset] == 0xFF:
        marker = frame[offset + 1]
        if marker == 0xFF:  # fill byte
            offset += 1
            continue
        length, _precision, rows, columns = struct.unpack_from(">HBHH", frame, offset + 2)
        if marker in _FRAME_MARKERS:
            return (rows, columns) if rows else None
        offset += 2 + length
    return None
