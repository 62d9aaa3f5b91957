"""DICOM as it is opened in a decoder, and pixels that need no native decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmark.trust.fuzzing.target import Once, Target
from benchmark.trust.material.dicom import dicom, stored_slice
from benchmark.trust.material.streams import compressed_files
from hmar.decoding.answers import check_values, error_answer, info_answer, raise_error, read_info
from hmar.decoding.in_process import ImageDecoder
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import DicomFile, is_dicom
from hmar.errors import DecodeError, HmarError, LimitError

_MAX_PIXELS = 1 << 16
_SHOWN = 3


def make() -> Once:
    """Return what opens a file, reads the first infos and decodes the first frame."""
    decoder = ImageDecoder(_MAX_PIXELS, PatientHasher(bytes(32)))

    def once(data: bytes) -> None:
        if not is_dicom(data):
            return
        try:
            file = decoder.open(data)
            assert isinstance(file, DicomFile)
            for number in range(1, min(len(file.infos), _SHOWN) + 1):
                read_info(info_answer(file.infos[number - 1]), number)
            if file.streams is None:
                frame = file.frame(1)
                assert frame.values.shape == (frame.info.rows, frame.info.columns)
                check_values(frame.values, frame.units)
            else:
                file.streams[1]
        except (DecodeError, LimitError) as error:
            _check_passes(error)

    return once


def _check_passes(error: HmarError) -> None:
    """Raise unless a decoder can tell its parent of the error."""
    try:
        raise_error(error_answer(error))
    except (DecodeError, LimitError):
        return
    raise AssertionError


def seeds() -> Mapping[str, bytes]:
    """Return images of each layout."""
    stored = stored_slice(1, 8)
    small = {name: data for name, data in compressed_files().items() if len(data) < 3000}
    return small | {
        "grey": dicom(stored),
        "signed": dicom(stored.astype("<i2"), PixelPaddingValue=-2000, WindowCenter=40, WindowWidth=400),
        "mono1": dicom(stored, Modality="MR", PhotometricInterpretation="MONOCHROME1", RescaleSlope=None),
        "frames": dicom(np.stack([stored] * 3)),
        "bits": dicom(stored, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=b"\xaa" * 8),
        "rgb": dicom(
            np.zeros((8, 8), "u1"),
            SamplesPerPixel=3,
            PhotometricInterpretation="RGB",
            PlanarConfiguration=1,
            PixelData=bytes(192),
        ),
        "float": dicom(stored, PixelData=None, FloatPixelData=bytes(256), BitsAllocated=32),
        "palette": dicom((stored // 16).astype("u1"), **_palette()),
    }


def _palette() -> dict[str, Any]:
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        elements[f"{colour}PaletteColorLookupTableData"] = bytes(range(256))
    return elements


TARGET = Target(make, seeds, weight=25)
