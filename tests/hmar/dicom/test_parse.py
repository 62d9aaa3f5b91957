"""A deflated data set is inflated once and within a limit, however its file meta information is written."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from hmar.dicom import parse as module
from hmar.dicom.parse import parse
from hmar.dicom.read import is_dicom, read_dicom
from hmar.errors import DecodeError, LimitError
from tests.hmar.dicom.build import HASHER, MAX_PIXELS, image, only, ramp

SYNTAX = DeflatedExplicitVRLittleEndian.encode()
SYNTAX += b"\0" * (len(SYNTAX) % 2)


def explicit_meta(group_length: int | None) -> bytes:
    syntax = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(SYNTAX)) + SYNTAX
    length = b"" if group_length is None else b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", group_length)
    return length + syntax


def implicit_meta() -> bytes:
    return b"\x02\x00\x10\x00" + struct.pack("<I", len(SYNTAX)) + SYNTAX


METAS: dict[str, bytes] = {
    "right group length": bytes(128) + b"DICM" + explicit_meta(8 + len(SYNTAX)),
    "group length 0": bytes(128) + b"DICM" + explicit_meta(0),
    "group length too large": bytes(128) + b"DICM" + explicit_meta(2**31),
    "no group length": bytes(128) + b"DICM" + explicit_meta(None),
    "implicit VR": bytes(128) + b"DICM" + implicit_meta(),
    "no preamble": explicit_meta(8 + len(SYNTAX)),
    "no preamble, no group length": explicit_meta(None),
}


def deflated(plain: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(plain) + deflater.flush()


@pytest.fixture(params=METAS)
def meta(request: pytest.FixtureRequest) -> bytes:
    return METAS[request.param]


def test_a_deflated_image_is_read(meta: bytes) -> None:
    plain = image(ramp(), meta=False)
    data = meta + deflated(plain)
    assert is_dicom(data)
    assert (only(data).values == only(image(ramp())).values).all()
    # Padding to an even length (PS3.5 A.5).
    assert only(data + b"\0").info.rows == 4


@pytest.mark.slow
def test_a_deflated_image_that_inflates_without_bound_is_refused(meta: bytes) -> None:
    data = meta + deflated(image(ramp(), meta=False) + bytes(40 << 20))
    assert is_dicom(data)
    with pytest.raises(LimitError, match=f"The file of {len(data)} bytes inflates to more than"):
        read_dicom(data, 1000, HASHER)


@pytest.mark.slow
def test_no_more_is_inflated_than_is_allowed(meta: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[int] = []

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._inflater = zlib_decompressobj(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            part = self._inflater.decompress(data, most)
            parts.append(len(part))
            return part

        def __getattr__(self, name: str) -> object:
            return getattr(self._inflater, name)

    zlib_decompressobj: Callable[[int], object] = zlib.decompressobj
    monkeypatch.setattr(module.zlib, "decompressobj", Counting)
    read_dicom(meta + deflated(image(ramp(), meta=False)), MAX_PIXELS, HASHER)
    # A second time to see whether it is DICOM, where no prefix says so.
    assert len(parts) == 1 + (meta[128:132] != b"DICM")
    parts.clear()
    with pytest.raises(LimitError):
        read_dicom(meta + deflated(image(ramp(), meta=False) + bytes(60 << 20)), 1000, HASHER)
    assert max(parts) <= 1 << 20
    assert sum(parts) < (2 * 18) << 20


def test_a_large_deflated_file_may_inflate_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INFLATED_BYTES", 1000)
    data = METAS["no group length"] + deflated(image(ramp(rows=30, columns=30), meta=False))
    assert parse(data, MAX_PIXELS).Rows == 30
    monkeypatch.setattr(module, "INFLATED_RATIO", 1)
    with pytest.raises(LimitError, match="inflates to more than 1"):
        parse(data, MAX_PIXELS)


def test_a_deflated_data_set_that_is_cut_is_refused(meta: bytes) -> None:
    data = meta + deflated(image(ramp(rows=90, columns=90), meta=False))
    refused = "neither DICOM|not DICOM|ends early"
    with pytest.raises(DecodeError, match=refused):
        read_dicom(data[:-100], MAX_PIXELS, HASHER)


def test_what_is_not_deflated_is_parsed_whole_or_without_its_pixels() -> None:
    data = image(ramp())
    assert "PixelData" in parse(data, MAX_PIXELS)
    assert "PixelData" not in parse(data, MAX_PIXELS, pixels=False)
