"""The picture of a query and its hits as a secondary capture: what every viewer shows."""

from __future__ import annotations

import hashlib

import numpy as np
from highdicom import sc
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.reporting.contents import Contents
from hmar.reporting.equipment import described, equipment, made_at
from hmar.reporting.own_uids import OwnUids

SERIES_NUMBER = 9803


def secondary_capture(
    contents: Contents, source: Dataset, pixels: NDArray[np.uint8], uids: OwnUids
) -> Dataset:
    """Return a picture as an image of the query's study.

    Parameters
    ----------
    contents : Contents
    source : Dataset
        Patient and study.
    pixels : ndarray of uint8, shape (rows, columns, 3)
    uids : OwnUids
    """
    shown = hashlib.sha256(pixels.tobytes()).hexdigest()
    document = sc.SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=source.StudyInstanceUID,
        series_instance_uid=uids.uid("picture", shown, "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uids.uid("picture", shown),
        instance_number=1,
        patient_id=source.PatientID,
        patient_name=source.PatientName,
        patient_birth_date=source.PatientBirthDate,
        patient_sex=source.PatientSex,
        accession_number=source.AccessionNumber,
        study_id=source.StudyID,
        study_date=source.StudyDate or None,
        study_time=source.StudyTime or None,
        referring_physician_name=source.ReferringPhysicianName,
        patient_orientation=("L", "P"),
        **equipment(contents),
    )
    document.ImageComments = described(contents)
    document.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    # Type 2, and unknown: it shows several pictures.
    document.add_new("PatientOrientation", "CS", None)
    document.add_new("Laterality", "CS", None)
    if "BurnedInAnnotation" in source:
        document.BurnedInAnnotation = source.BurnedInAnnotation
    document.DateOfSecondaryCapture = document.ContentDate
    document.TimeOfSecondaryCapture = document.ContentTime
    return made_at(document, contents)
