"""Patient and study as a file names them, for documents of the same study."""

from __future__ import annotations

import re
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
MAY = ("IssuerOfPatientID", "StudyDescription", "PatientIdentityRemoved", "DeidentificationMethod")
"""Of patient and study, copied where a file has them."""
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_REMOVED = "PatientIdentityRemoved"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
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
            setattr(source, keyword, _line(file, keyword))
        for keyword in MAY:
            if value := _line(file, keyword):
                setattr(source, keyword, value)
        if not _says_whether_removed(source):
            del source[_REMOVED]
        source.PatientSex = sex if (sex := text(file, "PatientSex")) in _SEXES else ""
        source.PatientBirthDate = _day(text(file, "PatientBirthDate"))
        source.StudyDate = _day(text(file, "StudyDate"))
        source.StudyTime = _time(text(file, "StudyTime"))
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


def _line(file: Dataset, keyword: str) -> str:
    """Return a text with a space for control characters: without one, an id might become another."""
    return _CONTROLS.sub(" ", text(file, keyword)).strip()


def _says_whether_removed(source: Dataset) -> bool:
    """Whether what is said of removed identity may be said: YES with the method alone (PS3.3 C.7.1.1)."""
    allowed = ("YES", "NO") if "DeidentificationMethod" in source else ("NO",)
    return _REMOVED not in source or source[_REMOVED].value in allowed


def _day(value: str) -> str:
    """Return a date, also one in the form of ACR-NEMA, in that of today; empty where it is none."""
    with suppress(ValueError):
        day = DA(value)
        return "" if day is None else day.isoformat().replace("-", "")
    return ""


def _time(value: str) -> str:
    """Return a time as it was written, empty where it is none."""
    with suppress(ValueError):
        TM(value)
        return value
    return ""
