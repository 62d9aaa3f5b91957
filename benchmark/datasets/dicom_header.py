"""The header of a DICOM file, as far as the loaders need it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom

from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.header import code, integer, text
from hmar.dicom.read import is_dicom
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError

HEAD_BYTES = 1 << 16
"""Bytes that tell whether a file is DICOM."""
HEADER = (
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "Modality",
    "BodyPartExamined",
    "Rows",
    "NumberOfFrames",
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the loaders need of one file; ``patient`` is a keyed hash, empty where the file has no id."""

    path: Path
    instance: str
    series: str
    study: str
    patient: str
    modality: str
    region: str


def read_header(path: Path, hasher: PatientHasher) -> Header | str:
    """Return a file's header, or the reason why it cannot be used."""
    try:
        with path.open("rb") as file:
            if not is_dicom(file.read(HEAD_BYTES)):
                return "not DICOM"
        with translated("The header cannot be read", "Check that the file is complete."):
            dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(HEADER))
            return _header(path, dataset, hasher)
    except (OSError, DecodeError):
        return "that cannot be read"


def _header(path: Path, dataset: pydicom.Dataset, hasher: PatientHasher) -> Header | str:
    instance, series, study = (text(dataset, keyword) for keyword in HEADER[:3])
    if not instance or not text(dataset, "Rows"):
        return "without SOPInstanceUID or image"
    if (integer(dataset, "NumberOfFrames") or 1) != 1:
        return "of several frames"
    return Header(
        path,
        instance,
        series,
        study or series or instance,
        hasher.key(text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID")) or "",
        code(dataset, "Modality") or "OT",
        code(dataset, "BodyPartExamined") or "",
    )
