"""Headers of compressed streams, written field by field."""

from __future__ import annotations

import struct

JFIF = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
HUFFMAN = b"\xff\xc4" + struct.pack(">H", 7) + bytes(5)
JP2_BOXES = b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">L4s4x", 12, b"ftyp")


def adobe(transform: int) -> bytes:
    return b"\xff\xee" + struct.pack(">H", 14) + b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def jpeg(
    marker: int = 0xC0,
    rows: int = 4,
    columns: int = 5,
    components: bytes = b"\1",
    precision: int = 8,
    before: bytes = b"",
    end: bytes = b"\xff\xd9",
) -> bytes:
    """Return a JPEG whose scan is empty."""
    frame = struct.pack(">BHHB", precision, rows, columns, len(components))
    frame += b"".join(bytes([one, 0x11, 0]) for one in components)
    head = b"\xff\xd8" + before + bytes([0xFF, marker]) + struct.pack(">H", 2 + len(frame)) + frame
    return head + b"\xff\xda" + struct.pack(">H", 8) + bytes(10) + end


def jpeg2000(
    rows: int = 4,
    columns: int = 5,
    components: int = 1,
    precision: int = 8,
    *,
    signed: bool = False,
    top: int = 0,
    left: int = 0,
    capabilities: int = 0,
    sampling: tuple[int, int] = (1, 1),
    reversible: bool = True,
) -> bytes:
    """Return the main header of a codestream."""
    depth = bytes([(0x80 if signed else 0) + precision - 1, *sampling]) * components
    extent = (columns + left, rows + top, left, top, columns + left, rows + top, 0, 0)
    siz = struct.pack(">3H8LH", 0xFF51, 38 + len(depth), capabilities, *extent, components) + depth
    cod = struct.pack(">2H", 0xFF52, 12) + bytes([0, 0, 0, 1, 0, 5, 4, 4, 0, int(reversible)])
    return b"\xff\x4f" + siz + cod + b"\xff\x90" + bytes(10)


def rle(segments: list[int], size: int) -> bytes:
    """Return a frame of so many bytes whose header says where its segments begin."""
    head = struct.pack("<16L", len(segments), *segments, *[0] * (15 - len(segments)))
    return head + bytes(size - len(head))
