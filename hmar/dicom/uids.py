"""UIDs as the file gives them, or derived from its content where it gives none.

Derived UIDs have the form 2.25.<128-bit integer> (PS3.5 B.2), are the same on every machine and in every
run, and are made of geometry, dates and equipment only, never of patient data.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from pydicom.dataset import Dataset

from hmar.contents import Content, digest_of
from hmar.dicom.header import numbers, text
from hmar.values.uids import derived_uid

_UID = re.compile(r"[0-9.]{1,64}")
_SERIES_TRAITS = ("SeriesNumber", "SeriesDate", "SeriesTime")
_SERIES_DETAILS = ("Modality", "Rows", "Columns", "ConvolutionKernel", "SliceThickness")


class Uids(NamedTuple):
    """The three UIDs of an instance; ``derived`` if any of them is not the file's own."""

    study: str
    series: str
    sop_instance: str
    derived: bool


def instance_uids(dataset: Dataset, data: Content) -> Uids:
    """Return the UIDs of an instance.

    Parameters
    ----------
    dataset : Dataset
        The parsed file.
    data : bytes or FileBytes
        The whole file: its SHA-256 names an instance that has no UID, neither in the data set nor in
        the file meta information.

    Notes
    -----
    A value that is not 1 to 64 characters of digits and dots counts as absent. A series without UID is
    identified by its study, frame of reference, number, date, time, orientation, size and reconstruction; a
    study without UID by its frame of reference, else its irradiation event, else its date, time and device.
    A file with none of these either becomes a series, or study, of its own.
    """
    instance = own_uid(dataset, "SOPInstanceUID") or own_uid(dataset.file_meta, "MediaStorageSOPInstanceUID")
    instance_or_hash = instance or _derive("instance", digest_of(data))
    own_series = own_uid(dataset, "SeriesInstanceUID")
    own_study = own_uid(dataset, "StudyInstanceUID")
    study = own_study or _derived_study(dataset, own_series or instance_or_hash)
    series = own_series or _derived_series(dataset, study, instance_or_hash)
    return Uids(study, series, instance_or_hash, not (instance and own_series and own_study))


def sop_class(dataset: Dataset) -> str | None:
    """Return the SOP class of an instance, None where the file does not say it."""
    return own_uid(dataset, "SOPClassUID") or own_uid(dataset.file_meta, "MediaStorageSOPClassUID")


def own_uid(dataset: Dataset, keyword: str) -> str | None:
    """Return a UID as the data set gives it, None where it gives none that is one."""
    value = text(dataset, keyword)
    return value if _UID.fullmatch(value) else None


def _derived_study(dataset: Dataset, fallback: str) -> str:
    day = (text(dataset, "StudyDate"), text(dataset, "StudyTime"))
    if frame_of_reference := text(dataset, "FrameOfReferenceUID"):
        return _derive("study", "frame of reference", frame_of_reference, *day)
    if event := text(dataset, "IrradiationEventUID"):
        return _derive("study", "irradiation event", event)
    if all(day):
        device = (text(dataset, "Manufacturer"), text(dataset, "DeviceSerialNumber"))
        return _derive("study", "time", *day, *device)
    return _derive("study", "member", fallback)


def _derived_series(dataset: Dataset, study: str, fallback: str) -> str:
    frame_of_reference = text(dataset, "FrameOfReferenceUID")
    traits = [text(dataset, keyword) for keyword in _SERIES_TRAITS]
    if not frame_of_reference and not any(traits):
        return _derive("series", "member", fallback)
    # Rounded, and without the sign of zero, because writers differ in the last digits.
    orientation = [f"{round(value, 3) + 0.0:.3f}" for value in numbers(dataset, "ImageOrientationPatient")]
    details = [text(dataset, keyword) for keyword in _SERIES_DETAILS]
    return _derive("series", study, frame_of_reference, *traits, *orientation, *details)


def _derive(*parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return derived_uid(digest)
