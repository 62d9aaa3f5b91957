"""The images that trials are made with: small, of several series, with frames enough for two transactions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from hmar.indexing import CHUNK_FRAMES

SIDE = 96
SERIES = 3
SLICES = 2
_ROOT = "2.25.43"
CUT_SHORT = "cut-short.dcm"
"""A file that fails in every run."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file.

    Parameters
    ----------
    name : str
        Of its file.
    study_uid, series_uid, sop_instance_uid : str
    frames : int
    data : bytes
    """

    name: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frames: int
    data: bytes


def album(seed: int, version: int = 1, study: int = 1) -> list[Picture]:
    """Draw single slices of :data:`SERIES` series, and one file of more frames than one transaction takes.

    Parameters
    ----------
    seed : int
        Of the pixels.
    version : int
        Other versions have the same UIDs and other pixels.
    study : int
        Other studies have other UIDs and other patients.
    """
    drawn = np.random.default_rng([seed, version, study])
    pictures = [
        _picture(f"s{series}-{number}.dcm", (study, series, number), 1, drawn)
        for series in range(1, SERIES + 1)
        for number in range(1, SLICES + 1)
    ]
    return [*pictures, _picture("cine.dcm", (study, SERIES + 1, 1), CHUNK_FRAMES + 2, drawn)]


def write_album(folder: Path, pictures: list[Picture]) -> None:
    """Write pictures into a folder, and beside them a file that is cut short."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (folder / picture.name).write_bytes(picture.data)
    (folder / CUT_SHORT).write_bytes(pictures[0].data[: len(pictures[0].data) // 8])


def _picture(name: str, place: tuple[int, int, int], frames: int, drawn: np.random.Generator) -> Picture:
    study, series, number = place
    study_uid = f"{_ROOT}.{study}"
    series_uid, sop_uid = f"{study_uid}.{series}", f"{study_uid}.{series}.{number}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(sop_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID = CTImageStorage, UID(sop_uid)
    file.StudyInstanceUID, file.SeriesInstanceUID = study_uid, series_uid
    file.PatientName, file.PatientID = "", f"TRUST-{study}"
    file.Modality, file.BodyPartExamined = "CT", "CHEST"
    file.SeriesNumber, file.InstanceNumber = series, number
    file.ImagePositionPatient = [0.0, 0.0, -2.5 * number]
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.Rows = file.Columns = SIDE
    file.PixelSpacing = [0.75, 0.75]
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleIntercept, file.RescaleSlope = -1024, 1
    if frames > 1:
        file.NumberOfFrames = frames
    # Patches of 8x8 pixels: noise of single pixels would be smoothed to the same code everywhere.
    coarse = drawn.integers(0, 2048, (frames, SIDE // 8, SIDE // 8), dtype=np.int16)
    file.PixelData = np.kron(coarse, np.ones((1, 8, 8), np.int16)).astype("<i2").tobytes()
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return Picture(name, study_uid, series_uid, sop_uid, frames, buffer.getvalue())
