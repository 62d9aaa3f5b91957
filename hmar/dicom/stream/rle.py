"""The header of an RLE frame (PS3.5 G.5)."""

from __future__ import annotations

import itertools
import struct

from hmar.dicom.stream.header import Bytes, Kind, StreamHeader, damaged

_HEADER_BYTES = 64
_MAX_SEGMENTS = 15


def read_rle(data: bytes) -> StreamHeader:
    """Read the number of segments and where they begin.

    Raises
    ------
    DecodeError
        If a segment begins outside the frame, or not after the one before it.
    """
    words = struct.unpack("<16L", Bytes(data).at(0, _HEADER_BYTES))
    segments = words[0]
    if not 1 <= segments <= _MAX_SEGMENTS:
        raise damaged(f"says it has {segments} RLE segments, 1 to {_MAX_SEGMENTS} are possible")
    starts = words[1 : 1 + segments]
    if starts[0] != _HEADER_BYTES or starts[-1] >= len(data):
        raise damaged(f"has RLE segments at bytes {starts[0]} to {starts[-1]} of {len(data)}")
    if any(start >= stop for start, stop in itertools.pairwise(starts)):
        raise damaged("has RLE segments that overlap")
    return StreamHeader(Kind.RLE, segments=segments)
