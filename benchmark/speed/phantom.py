"""Synthetic CT slices of 512x512, so that speed is measured without patient data."""

from __future__ import annotations

import io

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from hmar.values.frames import FloatArray, Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

SIDE = 512
SPACING_MM = 0.7
ROOT = "2.25.41"
"""UIDs below 2.25 need no registration (PS3.5 B.2)."""
SLICES = 48
"""Slices of one series."""


def phantom_hu(number: int, side: int = SIDE) -> FloatArray:
    """Draw a chest with lungs, heart and spine.

    Parameters
    ----------
    number : int
        Position of the slice from 0; neighbours resemble each other.
    side : int
        Rows and columns.

    Returns
    -------
    ndarray of float32, shape (side, side)
        Hounsfield units.
    """
    noise = np.random.default_rng(number).normal(0, 15, (side, side))
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side - 0.5
    values = np.full((side, side), -1000.0)
    swing = 0.04 * np.sin(number / 7)
    discs = (
        (0.0, 0.0, 0.45, 0.34, -90.0),
        (0.0, 0.0, 0.42, 0.31, 45.0),
        (-0.2, -0.03, 0.13 + swing, 0.2, -850.0),
        (0.2, -0.03, 0.13 + swing / 2, 0.19, -850.0),
        (0.03, 0.03, 0.09, 0.1 + swing, 120.0),
        (0.0, 0.22, 0.05, 0.05, 420.0),
    )
    for centre_x, centre_y, radius_x, radius_y, level in discs:
        inside = ((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2 <= 1
        values[inside] = level
    texture = 40 * np.sin(60 * x + number) * np.cos(45 * y - number / 3)
    body = values > -1000
    values[body] += texture[body] + noise[body]
    return np.asarray(values, np.float32)


def phantom_frame(number: int, side: int = SIDE) -> Frame:
    """Return the slice as a decoded frame."""
    info = FrameInfo(
        study_uid=f"{ROOT}.1",
        series_uid=series_uid(number),
        sop_instance_uid=sop_uid(number),
        frame_number=1,
        modality="CT",
        body_part="CHEST",
        patient_key=None,
        rows=side,
        columns=side,
        spacing=Spacing(SPACING_MM, SPACING_MM),
    )
    return Frame(info, phantom_hu(number, side), Units.HU)


def series_uid(number: int, slices: int = SLICES) -> str:
    """Return the UID of the series of a slice, where a series has so many."""
    return f"{ROOT}.2.{number // slices + 1}"


def sop_uid(number: int) -> str:
    """Return the UID of a slice."""
    return f"{ROOT}.1.1.{number + 1}"


def phantom_file(number: int, side: int = SIDE, slices: int = SLICES) -> bytes:
    """Return the slice as an uncompressed DICOM file without a patient; a series has so many slices."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(sop_uid(number))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID, file.SOPInstanceUID = CTImageStorage, UID(sop_uid(number))
    file.StudyInstanceUID, file.SeriesInstanceUID = f"{ROOT}.1", series_uid(number, slices)
    file.PatientName, file.PatientID = "", ""
    file.Modality, file.BodyPartExamined = "CT", "CHEST"
    file.SeriesNumber, file.InstanceNumber = number // slices + 1, number + 1
    file.ImagePositionPatient = [0.0, 0.0, -2.5 * number]
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.Rows = file.Columns = side
    file.PixelSpacing = [SPACING_MM, SPACING_MM]
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleIntercept, file.RescaleSlope = -1024, 1
    stored = np.clip(np.rint(phantom_hu(number, side) + 1024), 0, 4095)
    file.PixelData = stored.astype("<i2").tobytes()
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
