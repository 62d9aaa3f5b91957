import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from hmar.errors import DecodeError, LimitError, ParameterError
from hmar.image.png import without_ancillary_chunks
from hmar.image.raster import is_raster, png, read_raster, render
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Spacing
from tests.frames import frame_info

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(GREY), GREY / 255),
        (Image.fromarray(GREY.astype(np.uint16) * 257), GREY / 255),
        (Image.fromarray(np.dstack([GREY] * 3)), GREY / 255),
        (Image.fromarray(np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])), GREY / 255),
        (Image.fromarray(GREY > 100), (GREY > 100).astype(float)),
    ],
)
def test_every_kind_of_png_becomes_presentation_values(image, expected):
    file = read_raster(encoded(image), 1000)
    frame = file.frame(1)
    assert frame.units is Units.PRESENTATION
    assert frame.values.dtype == np.float32
    assert frame.values == pytest.approx(expected, abs=1e-6)
    assert (file.infos[0].rows, file.infos[0].columns) == (16, 16)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def written_png(depth: int, colour: int, columns: int, row: bytes, *before: bytes) -> bytes:
    """Return a PNG of one row, chunk by chunk."""
    header = struct.pack(">IIBBBBB", columns, 1, depth, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(before) + pixels + chunk(b"IEND", b"")


PALETTE = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0, 255, 255, 255]))
FOUR = struct.pack(">4H", 0, 1000, 30000, 65535)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (written_png(16, 0, 4, FOUR), [0, 1000 / 65535, 30000 / 65535, 1]),
        (written_png(16, 0, 4, FOUR, chunk(b"tRNS", b"\x75\x30")), [0, 1000 / 65535, 0, 1]),
        (written_png(2, 0, 4, b"\x1b"), [0, 1 / 3, 2 / 3, 1]),
        (written_png(2, 0, 4, b"\x1b", chunk(b"tRNS", b"\0\2")), [0, 1 / 3, 0, 1]),
        (written_png(1, 0, 4, b"\xa0"), [1, 0, 1, 0]),
        (written_png(1, 0, 4, b"\xa0", chunk(b"tRNS", b"\0\1")), [0, 0, 0, 0]),
        (written_png(8, 3, 3, b"\0\1\2", PALETTE), [0.298, 0.588, 1]),
        (written_png(8, 3, 3, b"\0\1\2", PALETTE, chunk(b"tRNS", b"\xff\0")), [0.298, 0, 1]),
    ],
)
def test_depths_palettes_and_transparent_shades_of_png_are_kept(data, expected):
    values = read_raster(data, 100).frame(1).values
    np.testing.assert_allclose(values[0], expected, atol=1e-3)


@pytest.mark.slow
def test_ancillary_chunks_of_any_size_do_not_keep_a_png_from_being_read():
    large = zlib.compress(bytes(70 << 20))
    chunks = [
        chunk(b"zTXt", b"Comment\0\0" + large),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + large),
        chunk(b"iCCP", b"profile\0\0" + large),
        chunk(b"tEXt", b"Comment\0" + bytes(3 << 20)),
    ]
    plain = written_png(8, 0, 4, b"\0\x33\x66\xff")
    found = read_raster(written_png(8, 0, 4, b"\0\x33\x66\xff", *chunks), 100)
    assert (found.frame(1).values == read_raster(plain, 100).frame(1).values).all()


def test_an_unknown_critical_chunk_is_for_the_decoder_to_judge():
    assert without_ancillary_chunks(written_png(8, 0, 1, b"\0", chunk(b"ABCD", b"x"))).count(b"ABCD") == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda stored: stored),
        (2, np.fliplr),
        (3, lambda stored: np.rot90(stored, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda stored: np.rot90(stored, -1)),
        (7, lambda stored: np.rot90(stored, 2).T),
        (8, np.rot90),
        (9, lambda stored: stored),
    ],
)
def test_a_picture_is_turned_as_exif_says(kind, orientation, upright):
    stored = np.zeros((16, 32), np.uint8)
    stored[:8, :8], stored[8:, 24:] = 255, 128
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, kind, exif=exif)
    file = read_raster(buffer.getvalue(), 1000)
    expected = upright(stored) / 255
    assert (file.infos[0].rows, file.infos[0].columns) == expected.shape
    np.testing.assert_allclose(file.frame(1).values, expected, atol=0.03)


def test_what_is_transparent_is_black():
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[:2, :, 3] = 0
    values = read_raster(encoded(Image.fromarray(pixels)), 1000).frame(1).values
    assert not values[:2].any()
    assert (values[2:] == 1).all()


def test_jpeg_is_read_and_its_uid_is_that_of_its_bytes():
    data = encoded(Image.fromarray(GREY), "JPEG")
    first, again = read_raster(data, 1000).infos[0], read_raster(data, 1000).infos[0]
    other = read_raster(encoded(Image.fromarray(GREY.T), "JPEG"), 1000).infos[0]
    assert first == again
    assert first.sop_instance_uid != other.sop_instance_uid
    assert first.uids_derived
    assert len(first.sop_instance_uid) <= 64


def test_a_truncated_png_is_refused():
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)))
    assert is_raster(data[:200])
    with pytest.raises(DecodeError, match="200 bytes"):
        read_raster(data[:200], 10_000)


def test_too_many_pixels_are_refused_before_decoding():
    data = encoded(Image.fromarray(GREY))
    with pytest.raises(LimitError, match="16 x 16"):
        read_raster(data[:60], 255)


@pytest.mark.parametrize("side", [10_000, 15_000, 30_000])
def test_the_setting_alone_limits_the_size_however_large_the_image_claims_to_be(side):
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    claim = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))
    claim += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(LimitError, match=f"{side} x {side}"):
        read_raster(claim, 99_000_000)


def test_a_raster_has_one_frame():
    with pytest.raises(ParameterError, match="Frame 2"):
        read_raster(encoded(Image.fromarray(GREY)), 1000).frame(2)


def test_hounsfield_units_are_shown_through_a_display_window():
    values = np.array([[-1000, 40, 240, 3000]], np.float32)
    frame = Frame(frame_info(1, 4, Spacing(1, 1)), values, Units.HU, display_window=(40, 400))
    assert render(frame).tolist() == [[0, 128, 255, 255]]
    assert render(frame, (-600, 1500)).tolist()[0][0] in range(55, 62)


def test_presentation_values_are_shown_as_they_are_or_windowed_in_percent():
    frame = Frame(frame_info(1, 3, None), np.array([[0, 0.5, 1]], np.float32), Units.PRESENTATION)
    assert render(frame).tolist() == [[0, 128, 255]]
    assert render(frame, (25, 50)).tolist()[0][1:] == [255, 255]


def test_a_png_for_the_screen_can_be_read_back():
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(GREY)))), GREY)


def test_a_progressive_jpeg_of_too_many_samples_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = Image.new("RGB", (64, 32))
    progressive, baseline = io.BytesIO(), io.BytesIO()
    picture.save(progressive, "JPEG", progressive=True)
    picture.save(baseline, "JPEG")
    samples = 64 * 32 * 3
    monkeypatch.setattr("hmar.image.raster.MAX_PROGRESSIVE_SAMPLES", samples)
    read_raster(progressive.getvalue(), 10_000)
    monkeypatch.setattr("hmar.image.raster.MAX_PROGRESSIVE_SAMPLES", samples - 1)
    with pytest.raises(LimitError, match=f"progressive JPEG has {samples} samples; {samples - 1} are"):
        read_raster(progressive.getvalue(), 10_000)
    read_raster(baseline.getvalue(), 10_000)
