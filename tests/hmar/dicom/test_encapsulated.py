"""Frames of several fragments, with and without tables that can be believed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.uid import JPEG2000, JPEGBaseline8Bit, RLELossless

from hmar.dicom.encapsulated import EncapsulatedFrames
from hmar.errors import DecodeError
from tests.hmar.dicom.build import compressed, opened, ramp

HEADS = {JPEGBaseline8Bit: b"\xff\xd8\xff", JPEG2000: b"\xff\x4f\xff\x51", RLELossless: b"\2\0\0\0"}
THREE = np.stack([ramp()] * 3)


def frames(
    fragments: list[bytes], syntax: str = JPEGBaseline8Bit, table: bytes = b"", extended: bytes = b""
) -> EncapsulatedFrames:
    elements = (
        {} if not extended else {"ExtendedOffsetTable": DataElement("ExtendedOffsetTable", "OV", extended)}
    )
    found = opened(compressed(fragments, syntax, THREE, table=table, **elements)).streams
    assert found is not None
    return found


def table(*offsets: int, size: str = "L") -> bytes:
    return struct.pack(f"<{len(offsets)}{size}", *offsets)


@pytest.mark.parametrize(
    "offsets",
    [
        b"",
        table(0, 18, 36),
        table(0, 0, 0),
        table(0, 18),  # of two frames
        table(0, 36, 18),
        table(8, 26, 44),
        table(0, 17, 36),  # between two fragments
        table(0, 18, 5000),
    ],
)
@pytest.mark.parametrize("head", HEADS.values())
def test_one_fragment_a_frame_needs_no_table_and_a_wrong_one_does_no_harm(
    head: bytes, offsets: bytes
) -> None:
    fragments = [head.ljust(8, b"\0") + bytes([number, 0]) for number in range(3)]
    found = frames(fragments, table=offsets)
    assert [found[number] for number in (1, 2, 3)] == fragments


@pytest.mark.parametrize("extended", [False, True])
def test_a_table_joins_the_fragments_of_a_frame(extended: bool) -> None:
    fragments = [b"a" * 4, b"b" * 6, b"c" * 2, b"d" * 8, b"e" * 2]
    offsets = (0, 26, 52)
    found = (
        frames(fragments, extended=table(*offsets, size="Q"))
        if extended
        else frames(fragments, table=table(*offsets))
    )
    assert [found[number] for number in (1, 2, 3)] == [b"aaaabbbbbb", b"ccdddddddd", b"ee"]


@pytest.mark.parametrize("offsets", [b"", table(0, 0, 0)])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000])
def test_without_a_table_a_frame_begins_where_a_stream_does(syntax: str, offsets: bytes) -> None:
    head = HEADS[syntax]
    start = head.ljust(6, b"\0")
    found = frames([start, b"12", start, start, b"34", b"56"], syntax, offsets)
    assert [found[number] for number in (1, 2, 3)] == [start + b"12", start, start + b"3456"]


def test_where_nothing_says_which_fragments_a_frame_has_the_table_is_named() -> None:
    found = frames([HEADS[RLELossless]] * 4, RLELossless, table(0, 0, 0))
    with pytest.raises(DecodeError, match="Neither the Basic Offset Table nor the 4 fragments") as refusal:
        found[2]
    assert refusal.value.remedy


def test_fewer_fragments_than_frames_are_refused_with_both_numbers() -> None:
    with pytest.raises(DecodeError, match="NumberOfFrames is 3, the pixel data has 2 fragments"):
        frames([bytes(8)] * 2)


def test_all_fragments_belong_to_the_only_frame() -> None:
    found = opened(compressed([b"ab", b"cd", b"ef"], JPEGBaseline8Bit, ramp())).streams
    assert found is not None
    assert found[1] == b"abcdef"


def test_pixel_data_without_fragments_is_refused() -> None:
    data = compressed([b"ab" * 20], JPEGBaseline8Bit, ramp())
    item = data.rindex(b"\xfe\xff\x00\xe0", 0, data.index(b"abab") - 8)
    with pytest.raises(DecodeError, match="not a sequence of fragments"):
        opened(data[:item] + b"zzzz" + data[item + 4 :])
