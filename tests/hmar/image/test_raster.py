import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from hmar.errors import DecodeError, LimitError, ParameterError
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
