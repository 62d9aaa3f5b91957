"""Our own readers of PNG chunks and of Exif: what is left of a PNG is one of the same pixels."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.trust.fuzzing.target import Once, Target
from benchmark.trust.material.pictures import SIGNATURE, chunk, exif, picture
from hmar.image.exif import orientation
from hmar.image.png import bit_depth, without_ancillary_chunks
from hmar.image.raster import is_raster


def make() -> Once:
    """Return what reads a picture."""

    def once(data: bytes) -> None:
        is_raster(data)
        assert 1 <= orientation(data) <= 8
        assert 0 <= bit_depth(data) <= 255
        if not data.startswith(SIGNATURE):
            return
        plain = without_ancillary_chunks(data)
        assert len(plain) <= len(data)
        assert without_ancillary_chunks(plain) == plain

    return once


def seeds() -> Mapping[str, bytes]:
    """Return PNGs with chunks of every sort, and Exif blocks in both byte orders."""
    plain = picture("PNG", side=4)
    return {
        "png": plain,
        "palette": picture("PNG", mode="P", side=4),
        "text": picture("PNG", text="a text", orientation=6, side=4),
        "profile": SIGNATURE + chunk(b"IHDR", plain[16:29]) + chunk(b"iCCP", bytes(20)) + plain[33:],
        "exif": exif(6),
        "exif_big": b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
    }


TARGET = Target(make, seeds, weight=300, most_bytes=1024)
