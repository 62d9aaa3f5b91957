"""Tiny DICOM files, written with pydicom."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import DicomFile, read_dicom
from hmar.values.frames import Frame

HASHER = PatientHasher(b"a secret that only tests know ...")
MAX_PIXELS = 10_000_000


def image(stored: NDArray[Any], *, implicit: bool = False, meta: bool = True, **elements: Any) -> bytes:
    """Write stored values, shape (rows, columns) or (frames, rows, columns), and elements by keyword.

    An element given as None is left out; a DataElement brings its own VR.
    """
    frames, rows, columns = (1, *stored.shape) if stored.ndim == 2 else stored.shape
    bits = stored.dtype.itemsize * 8
    defaults = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": "1.2.3.4.5",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "Modality": "OT",
        "PatientID": "P-17",
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": (elements.get("BitsStored") or bits) - 1,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
        "NumberOfFrames": frames if frames > 1 else None,
    }
    dataset = Dataset()
    for keyword, value in {**defaults, **elements}.items():
        if isinstance(value, DataElement):
            dataset.add(value)
        elif value is not None:
            setattr(dataset, keyword, value)
    if not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & elements.keys():
        dataset.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
        dataset["PixelData"].VR = "OW"
    return write(dataset, implicit=implicit, meta=meta)


def compressed(
    frames: list[bytes], syntax: str, stored: NDArray[Any], *, table: bytes = b"", **elements: Any
) -> bytes:
    """Write fragments, the Basic Offset Table before them, and elements that describe ``stored``."""
    dataset = pydicom.dcmread(io.BytesIO(image(stored, **elements)))
    items = [table, *(frame + b"\0" * (len(frame) % 2) for frame in frames)]
    dataset.PixelData = b"".join(struct.pack("<4sL", b"\xfe\xff\x00\xe0", len(item)) + item for item in items)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write(dataset, syntax=syntax)


def write(dataset: Dataset, *, implicit: bool = False, meta: bool = True, syntax: str | None = None) -> bytes:
    """Write a data set as a file, or without preamble and meta information."""
    target = io.BytesIO()
    if not meta:
        dataset.save_as(target, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        return target.getvalue()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax or (
        ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    )
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID") or "9.9.9"
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def lut(descriptor: list[int], entries: list[int], **elements: Any) -> Dataset:
    """Return an item of a LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if descriptor[1] < 0 else "US", descriptor)
    item.add_new("LUTData", "US", entries)
    for name, value in elements.items():
        setattr(item, name, value)
    return item


def opened(data: bytes) -> DicomFile:
    """Open a file with the tests' limits."""
    return read_dicom(data, MAX_PIXELS, HASHER)


def only(data: bytes) -> Frame:
    """Decode the first frame of a file."""
    return opened(data).frame(1)


def ramp(dtype: Any = np.uint16, rows: int = 4, columns: int = 5) -> NDArray[Any]:
    """Return stored values 0, 1, 2, ..."""
    return np.arange(rows * columns, dtype=dtype).reshape(rows, columns)
