"""Tiny DICOM files, written element by element."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROOT = "2.25.42"
"""UIDs below 2.25 need no registration (PS3.5 B.2)."""
SIDE = 64
_ITEM = b"\xfe\xff\x00\xe0"


def stored_slice(number: int, side: int = SIDE) -> NDArray[np.uint16]:
    """Draw a round body with texture and noise, shape (side, side), stored values of 12 bits."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side - 0.5
    values = np.where(x**2 + y**2 < 0.2, 1060 + 300 * np.sin(40 * x + number) * np.cos(30 * y), 24.0)
    noise = np.random.default_rng(number).normal(0, 15, (side, side))
    return np.clip(np.rint(values + noise), 0, 4095).astype("<u2")


def dicom(stored: NDArray[Any], *, number: int = 1, syntax: str = "", **elements: Any) -> bytes:
    """Write an image.

    Parameters
    ----------
    stored : ndarray of integer, shape (rows, columns), (frames, rows, columns)
        Stored values.
    number : int
        Makes the UIDs: the same for the same number.
    syntax : str
        Transfer syntax UID; empty for Explicit VR Little Endian.
    **elements
        By keyword, in place of what the stored values say; None leaves an element out.
    """
    frames, rows, columns = (1, *stored.shape) if stored.ndim == 2 else stored.shape
    bits = stored.dtype.itemsize * 8
    defaults = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"{ROOT}.1.{number}",
        "StudyInstanceUID": f"{ROOT}.2",
        "SeriesInstanceUID": f"{ROOT}.3",
        "Modality": "CT",
        "BodyPartExamined": "CHEST",
        "InstanceNumber": number,
        "PixelSpacing": [1.5, 1.5],
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
        "NumberOfFrames": frames if frames > 1 else None,
        "PixelData": stored.tobytes() + b"\0" * (stored.nbytes % 2),
    }
    dataset = Dataset()
    for keyword, value in {**defaults, **elements}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if syntax else "OW"
        dataset["PixelData"].is_undefined_length = bool(syntax)
    return written(dataset, syntax)


def compressed(
    streams: Sequence[bytes], syntax: str, stored: NDArray[Any], *, table: bytes = b"", **elements: Any
) -> bytes:
    """Write compressed frames as one fragment each, and elements that describe ``stored``."""
    items = [table, *(stream + b"\0" * (len(stream) % 2) for stream in streams)]
    data = b"".join(struct.pack("<4sL", _ITEM, len(item)) + item for item in items)
    return dicom(stored, syntax=syntax, PixelData=data, **elements)


def written(dataset: Dataset, syntax: str = "") -> bytes:
    """Write a data set as a file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax or ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID = UID(dataset.get("SOPClassUID", CTImageStorage))
    meta.MediaStorageSOPInstanceUID = UID(dataset.get("SOPInstanceUID", f"{ROOT}.1"))
    file = FileDataset("", dataset, file_meta=meta, preamble=bytes(128))
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
