"""Small PNG and JPEG pictures, with the parts that a reader has to look at."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from benchmark.trust.material.dicom import stored_slice

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG (ISO/IEC 15948, 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exif(orientation: int) -> bytes:
    """Return an Exif block that says which side is up."""
    image = Image.Exif()
    image[0x0112] = orientation
    return image.tobytes()


def picture(kind: str, *, mode: str = "L", text: str = "", orientation: int = 0, side: int = 16) -> bytes:
    """Return a picture as PNG or JPEG, with a text and an orientation where they are given."""
    image = Image.fromarray((stored_slice(1, side) // 16).astype(np.uint8)).convert(mode)
    buffer = io.BytesIO()
    extra: dict[str, object] = {"exif": exif(orientation)} if orientation else {}
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        if text:
            texts.add_text("Comment", text)
            texts.add_itxt("Author", text, "de", "Verfasser", zip=True)
        image.save(buffer, "PNG", pnginfo=texts, **extra)
    else:
        image.save(buffer, "JPEG", comment=text.encode(), **extra)
    return buffer.getvalue()
