"""Patient and study as a file names them, for documents of the same study."""

from __future__ import annotations

from contextlib import suppress

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from hmar.dicom.header import text
from hmar.dicom.parse import parse
from hmar.dicom.remedies import CHECK_COMPLETE
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError
from hmar.reporting.contents import Image

UTF8 = "ISO_IR 192"
_TEXTS = ("PatientID", "PatientName", "AccessionNumber", "StudyID", "ReferringPhysicianName")
"""Of patient and study, that a document must have, if empty (type 2)."""
_MAY = ("IssuerOfPatientID", "StudyDescription", "PatientIdentityRemoved", "DeidentificationMethod")
"""Copied where a file has them."""
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_SEXES = ("M", "F", "O")


def read_source(data: bytes, query: Image, max_pixels: int) -> Dataset:
    """Return a data set of a file's patient and study, and of the UIDs that it has as an image.

    Only attributes that are listed here are read; dates and times that are none are left empty.

    Raises
    ------
    DecodeError
        If the file is another instance than the query, or its header cannot be read.
    """
    with translated("The header of the query's file cannot be read", CHECK_COMPLETE):
        file = parse(data, max_pixels, pixels=False)
        source = Dataset()
        source.SpecificCharacterSet = UTF8
        for keyword in _TEXTS:
            setattr(source, keyword, text(file, keyword))
        for keyword in _MAY:
            if value := text(file, keyword):
                setattr(source, keyword, value)
        source.PatientSex = sex if (sex := text(file, "PatientSex")) in _SEXES else ""
        source.PatientBirthDate = _when(DA, text(file, "PatientBirthDate"))
        source.StudyDate = _when(DA, text(file, "StudyDate"))
        source.StudyTime = _when(TM, text(file, "StudyTime"))
        own = tuple(text(file, keyword) for keyword in _UIDS)
        burned_in = text(file, "BurnedInAnnotation")
    if own != (query.study_uid, query.series_uid, query.sop_instance_uid):
        raise DecodeError(
            "The file of the query does not have the UIDs that it is indexed by.",
            "Documents can refer to images of a PACS alone, by their own UIDs; index it again.",
        )
    source.StudyInstanceUID, source.SeriesInstanceUID, source.SOPInstanceUID = own
    source.SOPClassUID = query.sop_class_uid
    if burned_in in ("YES", "NO"):
        source.BurnedInAnnotation = burned_in
    return source


def _when(kind: type[DA] | type[TM], value: str) -> str:
    """Return a date or time as it was written, empty where it is none."""
    with suppress(ValueError):
        kind(value)
        return value
    return ""
