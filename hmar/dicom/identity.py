"""What an instance is, before anything is done with it."""

from __future__ import annotations

from hmar.contents import Content
from hmar.dicom.checks import PIXEL_KEYWORDS, is_decodable
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.parse import parse
from hmar.dicom.read import UNREADABLE, is_dicom, read_dicom
from hmar.dicom.remedies import CHECK_COMPLETE
from hmar.dicom.uids import own_uid
from hmar.dicom.vendor import translated
from hmar.errors import DecodeError
from hmar.values.identified import Identified


def identify(
    data: Content, max_pixels: int, hasher: PatientHasher, refuses_burned_in: bool = False
) -> Identified:
    """Return what an instance says that it is.

    Parameters
    ----------
    data : bytes or FileBytes
        The whole file.
    max_pixels : int
        Largest rows x columns x frames.
    hasher : PatientHasher
    refuses_burned_in : bool
        As for :func:`hmar.dicom.read.read_dicom`.

    Raises
    ------
    DecodeError
        If it is no DICOM file, or its header cannot be read.
    """
    if not is_dicom(data):
        raise DecodeError("The file is not DICOM.", "Send a DICOM file.")
    with translated(UNREADABLE, CHECK_COMPLETE):
        dataset = parse(data, max_pixels)
        return Identified(
            study_uid=own_uid(dataset, "StudyInstanceUID") or "",
            sop_instance_uid=own_uid(dataset, "SOPInstanceUID") or "",
            sop_class_uid=own_uid(dataset, "SOPClassUID") or "",
            has_pixels=any(keyword in dataset for keyword in PIXEL_KEYWORDS),
            decodable=is_decodable(dataset),
            fault=_fault(data, max_pixels, hasher, refuses_burned_in),
        )


def _fault(data: Content, max_pixels: int, hasher: PatientHasher, refuses_burned_in: bool) -> str | None:
    """Return why the file cannot be opened, None where it can."""
    try:
        read_dicom(data, max_pixels, hasher, refuses_burned_in)
    except DecodeError as error:
        return error.detail
    return None
