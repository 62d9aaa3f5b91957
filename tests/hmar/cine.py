"""JPEG cines, whole or with frames that are cut."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from tests.hmar.dicom.build import compressed

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 32, 40), np.uint8)


def jpeg_cine(frames: int, *cut: int) -> bytes:
    """Return a cine; the frames with the numbers in ``cut`` end within the header of their stream."""
    streams = []
    for number, pixels in enumerate(PIXELS[:frames], start=1):
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "JPEG")
        streams.append(target.getvalue()[: 24 if number in cut else None])
    return compressed(streams, JPEGBaseline8Bit, PIXELS[:frames])
