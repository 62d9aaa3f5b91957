"""Streams that agree with their header give the picture; those that do not are refused, both values named."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from openjpeg.utils import decode, encode_array
from PIL import Image
from pydicom import uid
from pydicom.pixels import get_encoder

from hmar.dicom.codecs import undecodable
from hmar.dicom.syntaxes import SYNTAXES
from hmar.errors import DecodeError, LimitError
from hmar.values.frames import Units
from tests.hmar.dicom.build import compressed, only, opened
from tests.hmar.dicom.stream.headers import jpeg, jpeg2000, rle

CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
RGB = {
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "RGB",
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
}
GREY = np.add.outer(np.arange(0, 128, 2), np.arange(0, 128, 2)).astype(np.uint8)
COLOURS = np.dstack([GREY, GREY.T[::-1], 255 - GREY])
LUMA = COLOURS @ [0.299, 0.587, 0.114] / 255
WIDE = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def pillow_jpeg(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def rle_frame(stored: Any) -> bytes:
    return get_encoder(uid.RLELossless).encode(
        stored,
        encoding_plugin="pydicom",
        rows=stored.shape[0],
        columns=stored.shape[1],
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )


@pytest.mark.parametrize(
    ("stream", "syntax"),
    [
        (encode_array(WIDE, bits_stored=12), uid.JPEG2000Lossless),
        (encode_array(WIDE, bits_stored=12), uid.JPEG2000),
        (encode_array(WIDE, bits_stored=12), uid.HTJ2K),
        (encode_array(WIDE, bits_stored=16), uid.JPEG2000Lossless),
        (encode_array(WIDE, bits_stored=12, codec_format=1), uid.JPEG2000Lossless),
        (rle_frame(WIDE), uid.RLELossless),
    ],
)
def test_a_lossless_stream_gives_its_hounsfield_units(stream: bytes, syntax: str) -> None:
    frame = only(compressed([stream], syntax, WIDE, BitsStored=12, **CT))
    assert frame.units is Units.HU
    assert (frame.values == WIDE.astype(np.float32) - 1024).all()


@pytest.mark.parametrize("overlay", [1 << 15, 0b1011 << 12])
def test_overlay_bits_within_a_stream_are_masked_as_in_native_pixels(overlay: int) -> None:
    stream = encode_array(WIDE | np.uint16(overlay), bits_stored=16)
    values = only(compressed([stream], uid.JPEG2000Lossless, WIDE, BitsStored=12, **CT)).values
    assert (values == WIDE.astype(np.float32) - 1024).all()


def test_a_stream_of_whole_cells_is_placed_by_the_high_bit() -> None:
    stream = encode_array(WIDE << np.uint16(4), bits_stored=16)
    data = compressed([stream], uid.JPEG2000Lossless, WIDE, BitsStored=12, HighBit=15, **CT)
    assert (only(data).values == WIDE.astype(np.float32) - 1024).all()


def test_values_that_overshoot_in_a_lossy_stream_are_clipped_and_do_not_wrap() -> None:
    checks = np.where(np.add.outer(np.arange(64) // 3, np.arange(64) // 3) % 2, 4095, 0).astype(np.uint16)
    stream = encode_array(checks, bits_stored=16, compression_ratios=[8])
    decoded = decode(stream).astype(np.float32)
    assert decoded.max() > 4095
    values = only(compressed([stream], uid.JPEG2000, checks, BitsStored=12, **CT)).values
    assert (values == decoded.clip(0, 4095) - 1024).all()


@pytest.mark.parametrize("precision", [12, 13])
def test_signed_values_in_an_unsigned_stream_keep_their_sign(precision: int) -> None:
    stored = (WIDE.astype(np.int16) - 2048).astype(np.int16)
    stream = encode_array(stored.view(np.uint16) & np.uint16(2**precision - 1), bits_stored=precision)
    data = compressed(
        [stream], uid.JPEG2000Lossless, stored, BitsStored=precision, **CT | {"RescaleIntercept": 2048}
    )
    assert (only(data).values == WIDE.astype(np.float32)).all()


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize(
    ("stream", "syntax", "photometric"),
    [
        (pillow_jpeg(COLOURS), uid.JPEGBaseline8Bit, "YBR_FULL_422"),
        (pillow_jpeg(COLOURS), uid.JPEGBaseline8Bit, "RGB"),  # JFIF says otherwise
        (pillow_jpeg(COLOURS, keep_rgb=True), uid.JPEGBaseline8Bit, "RGB"),
        (pillow_jpeg(COLOURS, keep_rgb=True), uid.JPEGBaseline8Bit, "YBR_FULL"),  # its ids say otherwise
        (pillow_jpeg(COLOURS, progressive=True), uid.JPEGBaseline8Bit, "YBR_FULL_422"),
        (pillow_jpeg(COLOURS), uid.JPEGExtended12Bit, "YBR_FULL_422"),
        (pillow_jpeg(COLOURS), uid.JPEGExtended12Bit, "RGB"),
        (pillow_jpeg(COLOURS, keep_rgb=True), uid.JPEGExtended12Bit, "RGB"),
        (pillow_jpeg(COLOURS, keep_rgb=True), uid.JPEGExtended12Bit, "YBR_FULL"),
        (encode_array(COLOURS, photometric_interpretation=1), uid.JPEG2000, "YBR_RCT"),
        (encode_array(COLOURS, photometric_interpretation=1), uid.JPEG2000, "RGB"),
    ],
)
def test_a_stream_orders_its_samples_whatever_the_planar_configuration(
    stream: bytes, syntax: str, photometric: str, planar: int
) -> None:
    elements = RGB | {"PhotometricInterpretation": photometric, "PlanarConfiguration": planar}
    found = only(compressed([stream], syntax, GREY, **elements)).values
    np.testing.assert_allclose(found, LUMA, atol=0.05)


@pytest.mark.parametrize("allocated", [8, 16])
def test_a_jpeg_of_8_bits_is_read_whatever_its_cells_were(allocated: int) -> None:
    data = compressed(
        [pillow_jpeg(GREY)],
        uid.JPEGBaseline8Bit,
        GREY,
        BitsAllocated=allocated,
        WindowCenter=128,
        WindowWidth=256,
    )
    np.testing.assert_allclose(only(data).values, GREY / 255, atol=0.05)


@pytest.mark.parametrize(
    ("stream", "syntax", "elements", "reason"),
    [
        (
            encode_array(WIDE, bits_stored=12),
            uid.JPEGBaseline8Bit,
            {},
            "is JPEG 2000, the transfer syntax is JPEG Base",
        ),
        (
            jpeg(0xF7, 64, 64, precision=12),
            uid.JPEGBaseline8Bit,
            {},
            "is JPEG-LS, the transfer syntax is JPEG Base",
        ),
        (
            jpeg(0xC3, 64, 64, precision=12),
            uid.JPEGLSLossless,
            {},
            "is a lossless JPEG, the transfer syntax is JPEG-LS",
        ),
        (
            jpeg(0xC0, 64, 64),
            uid.JPEGLossless,
            {},
            "is a baseline JPEG, the transfer syntax is JPEG Lossless",
        ),
        (jpeg(0xC2, 64, 64), uid.RLELossless, {}, "is a progressive JPEG, the transfer syntax is RLE"),
        (rle([64, 80], 99), uid.JPEG2000, {}, "is no stream of JPEG 2000"),
        (jpeg2000(64, 64, 1, 12), uid.JPEG2000, RGB, "1 components, SamplesPerPixel is 3"),
        (jpeg2000(64, 64, 3, 12), uid.JPEG2000, {}, "3 components, SamplesPerPixel is 1"),
        (jpeg(0xC0, 64, 64, b"\1\2\3"), uid.JPEGBaseline8Bit, {}, "3 components, SamplesPerPixel is 1"),
        (jpeg(0xF7, 64, 64), uid.JPEGLSLossless, RGB, "1 components, SamplesPerPixel is 3"),
        (jpeg(0xC0, 64, 63), uid.JPEGBaseline8Bit, {}, "64 x 63 pixels, the header says 64 x 64"),
        (
            jpeg(0xC0, 64, 64),
            uid.JPEGBaseline8Bit,
            {"BitsAllocated": 32},
            "BitsAllocated is 32, .* a baseline JPEG of 8",
        ),
        (jpeg(0xC0, 64, 64), uid.JPEGBaseline8Bit, {"BitsStored": 12}, "8 bits per sample, BitsStored is 12"),
        (
            jpeg(0xC1, 64, 64, precision=12),
            uid.JPEGBaseline8Bit,
            {},
            "12 bits per sample, for which .* no decoder",
        ),
        (
            jpeg2000(64, 64, 1, 12),
            uid.JPEG2000,
            {"BitsAllocated": 8, "BitsStored": 8},
            "12 bits per sample, BitsAllocated is 8",
        ),
        (
            jpeg2000(64, 64, 1, 10),
            uid.JPEG2000,
            {"BitsStored": 12, "PixelRepresentation": 1},
            "10 bits per sample, BitsStored is 12",
        ),
        (
            jpeg2000(64, 64, 1, 14),
            uid.JPEG2000,
            {"BitsStored": 12, "HighBit": 15},
            "14 bits per sample, HighBit is 15",
        ),
        (jpeg(0xC3, 64, 64, precision=16, end=b""), uid.JPEGLossless, {}, "is cut"),
        (rle([64], 99), uid.RLELossless, {}, "1 RLE segments; SamplesPerPixel 1 and BitsAllocated 16 make 2"),
    ],
)
def test_a_stream_that_contradicts_its_header_is_refused_before_any_decoder_sees_it(
    stream: bytes, syntax: str, elements: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.dicom.pixels.decode_stream", lambda *_: pytest.fail("a decoder saw it"))
    with pytest.raises(DecodeError, match=f"compressed frame 1.*{reason}|{reason}") as refusal:
        only(compressed([stream], syntax, WIDE, **elements))
    assert refusal.value.remedy


@pytest.mark.parametrize("damage", [slice(-200, None), slice(100, 120)])
def test_a_damaged_frame_is_refused_and_the_others_are_read(damage: slice) -> None:
    good = encode_array(WIDE, bits_stored=12)
    bad = bytearray(good)
    del bad[damage]
    file = opened(
        compressed([good, bytes(bad), good], uid.JPEG2000Lossless, np.stack([WIDE] * 3), BitsStored=12)
    )
    assert (file.frame(1).values == file.frame(3).values).all()
    with pytest.raises(DecodeError, match="rame 2"):
        file.frame(2)


def test_a_panic_of_the_rle_decoder_is_a_refusal() -> None:
    # A run that writes beyond the frame: index out of bounds in Rust.
    frame = rle([64, 64 + 130], 64 + 130) + rle_frame(WIDE)[192:]
    segment = bytes([129, 1]) * 65
    damaged = frame[:64] + segment + frame[64 + 130 :]
    with pytest.raises(DecodeError, match="Frame 1 cannot be decoded from transfer syntax RLE Lossless"):
        only(compressed([damaged], uid.RLELossless, WIDE, BitsStored=12))


def test_every_transfer_syntax_has_one_decoder_that_is_installed() -> None:
    assert undecodable() == []


def test_transfer_syntaxes_whose_decoder_is_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdcm", None)
    monkeypatch.setitem(sys.modules, "rle", None)
    missing = {syntax for syntax, known in SYNTAXES.items() if known.decoder in ("gdcm", "rle")}
    assert set(undecodable()) == {uid.UID(syntax).name for syntax in missing}
    assert "RLE Lossless" in undecodable()


def test_a_progressive_stream_of_too_many_samples_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elements = RGB | {"PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0}
    stream, samples = pillow_jpeg(COLOURS, progressive=True), COLOURS.size
    data = compressed([stream], uid.JPEGBaseline8Bit, GREY, **elements)
    monkeypatch.setattr("hmar.dicom.syntaxes.MAX_PROGRESSIVE_SAMPLES", samples)
    only(data)
    monkeypatch.setattr("hmar.dicom.syntaxes.MAX_PROGRESSIVE_SAMPLES", samples - 1)
    with pytest.raises(LimitError, match=f"progressive JPEG of {samples} samples; {samples - 1} are"):
        only(data)
