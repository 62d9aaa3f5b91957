"""Small files that ask for a great deal: one for each way that is known of other products."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from pydicom import uid

from benchmark.trust.material.dicom import compressed, dicom, stored_slice
from benchmark.trust.material.pictures import SIGNATURE, chunk, picture
from benchmark.trust.material.streams import jpeg_2000

_META = 132
_MEGABYTE = 1 << 20


class Bomb(NamedTuple):
    """A bomb: what it does, and the function that makes it."""

    does: str
    make: Callable[[], bytes]


def deflated(megabytes: int, group_length: str) -> bytes:
    """Return a deflated data set; its meta information says its length right ("right", "zero" or "none")."""
    plain = dicom(stored_slice(1))
    length = struct.unpack_from("<I", plain, _META + 8)[0]
    meta, data = plain[_META + 12 : _META + 12 + length], plain[_META + 12 + length :]
    little, explicit = uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian
    meta = meta.replace(_uid_element(little), _uid_element(explicit))
    private = struct.pack("<HH2sHL", 0x7FE1, 0x1010, b"OB", 0, megabytes * _MEGABYTE)
    stated = {"right": len(meta), "zero": 0}
    head = b"" if group_length == "none" else struct.pack("<HH2sHI", 2, 0, b"UL", 4, stated[group_length])
    return bytes(128) + b"DICM" + head + meta + _inflating(data + private, megabytes)


def _inflating(begin: bytes, megabytes: int) -> bytes:
    """Return a raw deflate stream of some bytes and then zeros; a block that begins anew can be repeated."""
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    first = deflater.compress(begin) + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(bytes(_MEGABYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return first + block * megabytes + deflater.flush()


def _uid_element(value: str) -> bytes:
    padded = value.encode() + b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", 2, 0x10, b"UI", len(padded)) + padded


def _frames(number: int, pixels: int) -> bytes:
    return dicom(np.zeros((1, 1), "<u2"), NumberOfFrames=number, PixelData=bytes(2 * pixels))


def _nested(depth: int) -> bytes:
    plain = dicom(stored_slice(1))
    at = plain.index(struct.pack("<HH2s", 0x0008, 0x0060, b"CS"))
    opened = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closed = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return plain[:at] + opened * depth + closed * depth + plain[at:]


def _segments(units: list[int]) -> bytes:
    data = struct.pack(f"<{len(units)}H", *units)
    elements: dict[str, Any] = {}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [0, 0, 16]
        elements[f"Segmented{colour}PaletteColorLookupTableData"] = data
    return dicom(stored_slice(1), PhotometricInterpretation="PALETTE COLOR", **elements)


def _linear_segments(count: int) -> bytes:
    return _segments([0, 1, 0] + [1, 65535, 65535] * count)


def _indirect_segments(count: int) -> bytes:
    """Return a table of indirect segments, each of which copies all that comes before."""
    return _segments([0, 1, 0] + [1, 65535, 65535] * 100 + [2, 100, 0, 0] * count)


def _j2k_claim() -> bytes:
    stream = bytearray(jpeg_2000())
    size = struct.pack(">II", 60000, 60000)
    stream[8:16] = size
    stream[24:32] = size
    return compressed([bytes(stream)], uid.JPEG2000Lossless, np.zeros((32, 32), "u1"))


def _rle_claim() -> bytes:
    frame = struct.pack("<16L", 2, 64, 128, *[0] * 13) + bytes(160)
    return compressed([frame], uid.RLELossless, np.zeros((32, 32), "<u2"), Rows=20000, Columns=20000)


def _png_claim() -> bytes:
    header = struct.pack(">IIBBBBB", 50000, 50000, 8, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _png_profile(megabytes: int) -> bytes:
    # zlib (RFC 1950): a header, and Adler-32 at the end; of zeros, its lower half stays 1.
    checksum = struct.pack(">HH", megabytes * _MEGABYTE % 65521, 1)
    profile = b"x\0\0" + b"\x78\xda" + _inflating(b"", megabytes) + checksum
    plain = picture("PNG")
    return plain[:33] + chunk(b"iCCP", profile) + plain[33:]


def _progressive(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, "JPEG", progressive=True, quality=75)
    return buffer.getvalue()


BOMBS = {
    "deflated_honest": Bomb("deflated, inflates to 900 MB", lambda: deflated(900, "right")),
    "deflated_length_zero": Bomb("the same, its group length says 0", lambda: deflated(900, "zero")),
    "deflated_no_length": Bomb("700 MB, without a group length", lambda: deflated(700, "none")),
    "frames_100k": Bomb("100,000 frames of one pixel, all there", lambda: _frames(100_000, 100_000)),
    "frames_2e9": Bomb("2,000,000,000 frames of one pixel, one there", lambda: _frames(2_000_000_000, 1)),
    "nested": Bomb("30,000 sequences one in the other", lambda: _nested(30_000)),
    "palette_segments": Bomb("1,000 segments of 65,535 entries", lambda: _linear_segments(1000)),
    "palette_indirect": Bomb(
        "15,000 segments that repeat a hundred such", lambda: _indirect_segments(15_000)
    ),
    "jpeg2000_claim": Bomb("JPEG 2000 stream of 60,000 x 60,000 pixels", _j2k_claim),
    "rle_claim": Bomb("20,000 x 20,000 pixels in 224 bytes of RLE", _rle_claim),
    "png_claim": Bomb("PNG of 50,000 x 50,000 pixels in 65 bytes", _png_claim),
    "png_profile": Bomb("PNG whose colour profile inflates to 1 GB", lambda: _png_profile(1024)),
    "jpeg_progressive": Bomb("progressive JPEG of 8192 x 8192 pixels", lambda: _progressive(8192)),
}
"""The bombs by name."""
