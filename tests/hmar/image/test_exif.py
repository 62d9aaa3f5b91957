"""Orientation from Exif written byte by byte; what cannot be read says nothing."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.image.exif import orientation


def exif(order: str, *entries: tuple[int, int, int, int], start: int = 8) -> bytes:
    """Return a TIFF directory of (tag, type, count, value)."""
    head = b"Exif\0\0" + (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", start)
    packed = b"".join(struct.pack(f"{order}HHLHH", *entry, 0) for entry in entries)
    return head.ljust(6 + start, b"\0") + struct.pack(f"{order}H", len(entries)) + packed


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_read_in_either_byte_order(order, value):
    assert orientation(exif(order, (0x010F, 2, 4, 0), (0x0112, 3, 1, value), start=20)) == value
    assert orientation(exif(order, (0x0112, 3, 1, value)).removeprefix(b"Exif\0\0")) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        exif("<", (0x0112, 3, 1, 9)),
        exif("<", (0x0112, 3, 1, 0)),
        exif("<", (0x0112, 4, 1, 6)),
        exif("<", (0x0112, 3, 2, 6)),
        exif("<", (0x0112, 3, 1, 6))[:-5],
        exif("<"),
    ],
)
def test_what_cannot_be_read_is_upright(data):
    assert orientation(data) == 1


@given(st.sampled_from([b"II*\0", b"MM\0*", b""]), st.binary(max_size=60))
def test_any_bytes_give_an_orientation(head, rest):
    assert 1 <= orientation(head + rest) <= 8
