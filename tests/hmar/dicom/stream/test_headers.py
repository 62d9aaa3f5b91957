"""Every field of a stream's header is read as it was written; damage raises DecodeError and nothing else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.dicom.stream import Colour, Kind, StreamHeader, read_stream_header
from hmar.errors import DecodeError
from tests.hmar.dicom.stream.headers import HUFFMAN, JFIF, JP2_BOXES, adobe, jpeg, jpeg2000, rle

SIDES = st.integers(1, 65535)


@given(
    SIDES, SIDES, st.sampled_from([b"\1", b"\1\2\3"]), st.sampled_from([b"", JFIF, HUFFMAN, b"\xff\xff\xff"])
)
def test_a_jpeg_says_size_and_components(rows: int, columns: int, components: bytes, before: bytes) -> None:
    before = before if before != b"\xff\xff\xff" else b"\xff\xff"
    found = read_stream_header(jpeg(0xC0, rows, columns, components, before=before))
    assert (found.kind, found.rows, found.columns) == (Kind.BASELINE, rows, columns)
    assert (found.components, found.precision, found.signed) == (len(components), 8, None)
    assert found.ended
    assert found.lossy


@pytest.mark.parametrize(
    ("marker", "precision", "kind", "lossy"),
    [
        (0xC1, 12, Kind.EXTENDED, True),
        (0xC2, 8, Kind.PROGRESSIVE, True),
        (0xC3, 14, Kind.LOSSLESS, False),
        (0xF7, 16, Kind.JPEG_LS, False),
    ],
)
def test_the_frame_marker_tells_the_kind(marker: int, precision: int, kind: Kind, lossy: bool) -> None:
    found = read_stream_header(jpeg(marker, precision=precision))
    assert (found.kind, found.precision, found.lossy) == (kind, precision, lossy)


@pytest.mark.parametrize(
    ("components", "before", "colour"),
    [
        (b"\1\2\3", b"", None),
        (b"\1\2\3", JFIF, Colour.YCBCR),
        (b"\1\2\3", adobe(0), Colour.RGB),
        (b"\1\2\3", adobe(1), Colour.YCBCR),
        (b"\1\2\3", adobe(2), None),
        (b"RGB", b"", Colour.RGB),
        (b"rgb", JFIF, Colour.RGB),
        (b"\1", JFIF, None),
    ],
)
def test_a_jpeg_says_its_colours_by_ids_then_jfif_then_adobe(
    components: bytes, before: bytes, colour: Colour | None
) -> None:
    assert read_stream_header(jpeg(components=components, before=before)).colour is colour


def test_a_jpeg_without_its_end_marker_is_cut() -> None:
    assert not read_stream_header(jpeg(end=b"")).ended


@pytest.mark.slow
@given(SIDES, SIDES, st.integers(0, 9), st.integers(0, 9), st.booleans(), st.integers(1, 38), st.booleans())
def test_a_jpeg_2000_says_size_precision_sign_and_transform(
    rows: int, columns: int, top: int, left: int, signed: bool, precision: int, reversible: bool
) -> None:
    bare = jpeg2000(rows, columns, 3, precision, signed=signed, top=top, left=left, reversible=reversible)
    boxed = JP2_BOXES + struct.pack(">L4s", 0, b"jp2c") + bare
    wide = JP2_BOXES + struct.pack(">L4sQ", 1, b"jp2c", 16 + len(bare)) + bare
    expected = StreamHeader(Kind.JPEG_2000, rows, columns, 3, precision, signed, lossy=not reversible)
    assert [read_stream_header(stream) for stream in (bare, boxed, wide)] == [expected] * 3


def test_a_high_throughput_codestream_is_told_by_its_capabilities() -> None:
    assert read_stream_header(jpeg2000(capabilities=0x4000)).kind is Kind.HTJ2K


@given(st.integers(1, 15))
def test_rle_says_its_segments(segments: int) -> None:
    starts = [64 + 2 * number for number in range(segments)]
    assert read_stream_header(rle(starts, 200)) == StreamHeader(Kind.RLE, segments=segments)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (jpeg(precision=33), "a baseline JPEG of 33 bits per sample"),
        (jpeg(0xC1, precision=10), "10 bits per sample"),
        (jpeg(rows=0), "0 x 5 pixels"),
        (jpeg(before=adobe(7)), "Adobe marker of unknown colour transform 7"),
        (jpeg(before=b"\xff\0\0\4\0\0"), "marker FF00 at byte 2"),
        (jpeg(before=b"\xff\xc4\0\0"), "segment of 0 bytes at byte 2"),
        (jpeg(components=b""), "0 components"),
        (jpeg(0xC9), "a JPEG process .FFC9."),
        (jpeg(before=jpeg()[2:15]), "two frame headers"),
        (b"\xff\xd8" + HUFFMAN + b"\xff\xd9\0\4\0\0", "no scan, but marker FFD9 at byte 11"),
        (b"\xff\xd8" + HUFFMAN + b"\xff\xda\0\2", "scan before its frame header"),
        (b"\xff\xd8\xff\xc4\0\6" + bytes(9), "no marker at byte 10"),
        (jpeg()[:12], "ends within its own header"),
        (jpeg().replace(b"\xff\xc0\0\x0b", b"\xff\xc0\0\x1f") + bytes(20), "frame header of"),
        (jpeg2000(rows=0), "0 x 5 pixels"),
        (jpeg2000(components=0), "for 0 components"),
        (jpeg2000(sampling=(2, 1), components=3), "subsampled"),
        (jpeg2000(components=2)[:45] + b"\x0b" + jpeg2000(components=2)[46:], "different precision"),
        (jpeg2000()[:-22], "ends within its own header"),
        (JP2_BOXES + struct.pack(">L4s", 0, b"jp2h"), "without a codestream"),
        (JP2_BOXES + struct.pack(">L4s", 0, b"jp2c") + bytes(8), "codestream does not begin"),
        (rle([], 64), "0 RLE segments"),
        (rle([64, 64], 200), "overlap"),
        (rle([64, 300], 200), "bytes 64 to 300 of 200"),
        (rle([10], 200), "bytes 10 to 10 of 200"),
        (struct.pack("<L", 99) + bytes(96), "99 RLE segments"),
        (b"", "ends within its own header"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused_with_its_numbers(stream: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as refusal:
        read_stream_header(stream)
    assert refusal.value.remedy


VALID = [
    jpeg(before=JFIF + HUFFMAN + adobe(1), components=b"\1\2\3"),
    jpeg(0xF7, precision=12),
    jpeg2000(components=3),
    JP2_BOXES + struct.pack(">L4s", 0, b"jp2c") + jpeg2000(),
    rle([64, 80, 96], 120),
]


@pytest.mark.slow
@settings(max_examples=500)
@given(st.sampled_from(VALID), st.data())
def test_damage_anywhere_gives_a_header_or_a_refusal(stream: bytes, data: st.DataObject) -> None:
    damaged = bytearray(stream)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(stream)))
    for one in (bytes(damaged), stream[:cut], bytes(damaged[:cut])):
        try:
            found = read_stream_header(one)
        except DecodeError as refusal:
            assert refusal.remedy  # noqa: PT017 - either outcome is right
        else:
            assert (
                found.kind is Kind.RLE or min(found.rows or 0, found.columns or 0, found.components or 0) > 0
            )


@pytest.mark.slow
@settings(max_examples=300)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\xff\x4f\xff\x51", JP2_BOXES]), st.binary(max_size=120))
def test_any_bytes_give_a_header_or_a_refusal(start: bytes, rest: bytes) -> None:
    try:
        read_stream_header(start + rest)
    except DecodeError as refusal:
        assert refusal.remedy  # noqa: PT017 - either outcome is right
