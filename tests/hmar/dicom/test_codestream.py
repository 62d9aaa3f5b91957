from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from hmar.dicom.codestream import encoded_size

JFIF = b"\xff\xe0" + struct.pack(">H", 16) + bytes(14)
SIDES = st.integers(1, 65535)


def jpeg(marker: int, rows: int, columns: int, before: bytes = b"") -> bytes:
    return (
        b"\xff\xd8" + before + bytes([0xFF, marker]) + struct.pack(">HBHH", 11, 8, rows, columns) + bytes(4)
    )


@given(st.sampled_from([0xC0, 0xC1, 0xC3, 0xF7]), SIDES, SIDES, st.sampled_from([b"", JFIF, b"\xff\xff\xff"]))
def test_a_jpeg_says_its_size_in_its_frame_header(
    marker: int, rows: int, columns: int, before: bytes
) -> None:
    assert encoded_size(jpeg(marker, rows, columns, before)) == (rows, columns)


@given(SIDES, SIDES, st.integers(0, 100), st.integers(0, 100))
def test_a_jpeg_2000_says_its_size_as_extent_less_offset(
    rows: int, columns: int, top: int, left: int
) -> None:
    siz = struct.pack(">4H4I", 0xFF4F, 0xFF51, 41, 0, columns + left, rows + top, left, top)
    assert encoded_size(siz) == (rows, columns)
    assert encoded_size(b"\0\0\0\x0cjP  \r\n\x87\n" + siz) == (rows, columns)


def test_a_huffman_table_is_no_frame_header() -> None:
    table = b"\xff\xc4" + struct.pack(">H", 7) + bytes(5)
    assert encoded_size(jpeg(0xC0, 3, 4, table)) == (3, 4)


def test_a_jpeg_whose_height_follows_later_does_not_say() -> None:
    assert encoded_size(jpeg(0xC0, 0, 4)) is None


@given(st.binary(max_size=40))
def test_any_bytes_give_a_size_or_none(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"\xff\x4f\xff\x51"):
        found = encoded_size(start + data)
        assert found is None or len(found) == 2
