"""Synthetic CT slices as DICOM files: a body with lungs, a spine and a nodule, drawn with numpy."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SIDE = 192
SPACING_MM = 1.9
PATIENT_NAME = "Mustermann^Erika"
PATIENT_ID = "GEHEIM-4711"
ROOT = "1.2.826.0.1.3680043.8.498"


def series_uid(series: int) -> str:
    return f"{ROOT}.{series}"


def sop_uid(series: int, slice_number: int) -> str:
    return f"{ROOT}.{series}.{slice_number}"


def slice_hu(
    series: int, slice_number: int, nodule: tuple[float, float] | None = None
) -> NDArray[np.float64]:
    """Draw one slice in HU; the nodule's centre is (x, y)."""
    generator = np.random.default_rng(1000 * series + slice_number)
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    image = np.full((SIDE, SIDE), -1000.0)
    wide = 78 - 4 * series

    def disc(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.bool_]:
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1

    image[disc(96, 100, wide, 58)] = -90
    image[disc(96, 100, wide - 7, 51)] = 45
    swing = 2.0 * slice_number
    for side in (-1, 1):
        lung = disc(96 + side * 36, 92, 22 + swing / 3, 34 - series)
        image[lung] = -860 + 60 * np.sin(x[lung] / 5 + slice_number) * np.cos(y[lung] / 6)
    image[disc(98, 104, 15 + series, 17)] = 120
    image[disc(96, 138, 10, 9)] = 420
    if nodule is not None:
        image[disc(*nodule, 6.5, 6)] = 60
    return image + generator.normal(0, 14, image.shape)


def ct_file(
    series: int,
    slice_number: int,
    nodule: tuple[float, float] | None = None,
    patient_id: str = PATIENT_ID,
) -> bytes:
    """Return one slice as the bytes of a DICOM file, patient's name and id included."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = sop_uid(series, slice_number)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    file.SOPClassUID = CTImageStorage
    file.SOPInstanceUID = sop_uid(series, slice_number)
    file.StudyInstanceUID = f"{ROOT}.9{series}"
    file.SeriesInstanceUID = series_uid(series)
    file.PatientName, file.PatientID, file.PatientBirthDate = PATIENT_NAME, patient_id, "19700101"
    file.PatientSex, file.PatientAge = "MFO"[series % 3], f"{40 + 10 * series:03}Y"
    file.StudyDate, file.Manufacturer = f"2020010{series}", f"Phantom Works, {series}"
    file.Modality, file.BodyPartExamined = "CT", "CHEST"
    file.SeriesNumber, file.InstanceNumber = series, slice_number
    file.ImagePositionPatient = [-180.0, -180.0, -5.0 * slice_number]
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.Rows = file.Columns = SIDE
    file.PixelSpacing = [SPACING_MM, SPACING_MM]
    file.SliceThickness = 5.0
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleIntercept, file.RescaleSlope = -1024, 1
    file.WindowCenter, file.WindowWidth = -500, 1400
    stored = np.rint(slice_hu(series, slice_number, nodule) + 1024).astype("<i2")
    file.PixelData = stored.tobytes()
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
