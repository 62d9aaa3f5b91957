"""Compressed streams of every kind that is decoded, of one small picture."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.pixels.encoders.base import get_encoder

from benchmark.trust.material.dicom import compressed, dicom, stored_slice

SIDE = 32


def jpeg(*, progressive: bool = False, colour: bool = False) -> bytes:
    """Return a JPEG of 8 bits."""
    buffer = io.BytesIO()
    _picture(colour).save(buffer, "JPEG", quality=70, progressive=progressive)
    return buffer.getvalue()


def jpeg_2000(*, colour: bool = False, irreversible: bool = False) -> bytes:
    """Return a JPEG 2000 codestream of 8 bits."""
    buffer = io.BytesIO()
    _picture(colour).save(buffer, "JPEG2000", no_jp2=True, irreversible=irreversible)
    return buffer.getvalue()


def rle() -> bytes:
    """Return an RLE frame of 16 bits."""
    encode = get_encoder(uid.RLELossless).encode
    stored = stored_slice(1, SIDE)
    return bytes(
        encode(
            stored,
            rows=SIDE,
            columns=SIDE,
            samples_per_pixel=1,
            bits_allocated=16,
            bits_stored=16,
            photometric_interpretation="MONOCHROME2",
            pixel_representation=0,
            number_of_frames=1,
        )
    )


def with_gdcm(syntax: str) -> bytes:
    """Return a JPEG-LS or lossless JPEG stream of 12 bits, as GDCM writes it."""
    import gdcm

    reader = gdcm.ImageReader()
    # GDCM reads files alone.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plain.dcm")
        path.write_bytes(dicom(stored_slice(1, SIDE), BitsStored=12, HighBit=11))
        reader.SetFileName(str(path))
        reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        change.SetInput(reader.GetImage())
        change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(path))
        writer.Write()
        return get_frame(pydicom.dcmread(path).PixelData, 0, number_of_frames=1)


def all_streams() -> dict[str, bytes]:
    """Return a stream of each kind, by name."""
    return {
        "baseline": jpeg(),
        "baseline_colour": jpeg(colour=True),
        "progressive": jpeg(progressive=True),
        "jpeg2000": jpeg_2000(),
        "jpeg2000_lossy": jpeg_2000(irreversible=True),
        "jpeg2000_colour": jpeg_2000(colour=True),
        "jpeg_ls": with_gdcm(uid.JPEGLSLossless),
        "lossless": with_gdcm(uid.JPEGLosslessSV1),
        "rle": rle(),
    }


def compressed_files() -> dict[str, bytes]:
    """Return a DICOM file around each stream, by the stream's name."""
    grey, deep = np.zeros((SIDE, SIDE), "u1"), np.zeros((SIDE, SIDE), "<u2")
    colour = {"SamplesPerPixel": 3, "PlanarConfiguration": 0}
    twelve = {"BitsStored": 12, "HighBit": 11}
    streams = all_streams()
    described: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "baseline": (uid.JPEGBaseline8Bit, grey, {}),
        "baseline_colour": (
            uid.JPEGBaseline8Bit,
            grey,
            {**colour, "PhotometricInterpretation": "YBR_FULL_422"},
        ),
        "progressive": (uid.JPEGBaseline8Bit, grey, {}),
        "jpeg2000": (uid.JPEG2000Lossless, grey, {}),
        "jpeg2000_lossy": (uid.JPEG2000, grey, {}),
        "jpeg2000_colour": (
            uid.JPEG2000Lossless,
            grey,
            {**colour, "PhotometricInterpretation": "YBR_RCT"},
        ),
        "jpeg_ls": (uid.JPEGLSLossless, deep, twelve),
        "lossless": (uid.JPEGLosslessSV1, deep, twelve),
        "rle": (uid.RLELossless, deep, {}),
    }
    return {
        name: compressed([streams[name]], syntax, stored, **elements)
        for name, (syntax, stored, elements) in described.items()
    }


def _picture(colour: bool) -> Image.Image:
    values = (stored_slice(1, SIDE) // 16).astype(np.uint8)
    return Image.fromarray(np.stack([values, values.T, 255 - values], 2) if colour else values)
