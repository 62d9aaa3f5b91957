"""DICOM headers as training needs them beyond what the product's reader tells."""

from __future__ import annotations

from pydicom.dataset import Dataset

from hmar.dicom.header import numbers, text
from hmar.dicom.parse import parse
from hmar.dicom.vendor import translated

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

_UNREADABLE = ("The DICOM header cannot be read", "Send the file again.")


def dicom_header(data: bytes, max_pixels: int) -> Dataset:
    """Parse a file up to its pixels; raises DecodeError."""
    with translated(*_UNREADABLE):
        return parse(data, max_pixels, pixels=False)


def sop_class(header: Dataset) -> str:
    """Return the SOP Class UID; empty where there is none."""
    return text(header, "SOPClassUID")


def orientation_of(header: Dataset) -> tuple[float, ...] | None:
    """Return ImageOrientationPatient, of all frames where it is shared; None where it is unknown."""
    with translated(*_UNREADABLE):
        for group in [*items(header, "SharedFunctionalGroupsSequence")[:1], header]:
            for item in [*items(group, "PlaneOrientationSequence")[:1], group]:
                found = numbers(item, "ImageOrientationPatient")
                if len(found) == 6:
                    return tuple(found)
    return None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent."""
    return list(dataset.get(keyword) or [])
