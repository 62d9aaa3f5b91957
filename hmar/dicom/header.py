"""Header values, frame by frame, whether classic or enhanced multi-frame."""

from __future__ import annotations

import math
import struct
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from hmar.errors import DecodeError
from hmar.properties.kinds.codes import code_value

# How pydicom gives an element of several values: parsed text, or unpacked binary.
_SEVERAL = (MultiValue, list)

# What may differ from frame to frame, by its keyword in the data set of a classic image.
_FRAME_KEYWORDS = (
    "SOPClassUID",
    "ImageType",
    "Modality",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
    "SequenceOfUltrasoundRegions",
    "Rows",
    "Columns",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PatientOrientation",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "ModalityLUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
)

# The same in the functional groups of an enhanced image (PS3.3 C.7.6.16.2, C.8.19.6).
_FUNCTIONAL_GROUPS = (
    "PixelMeasuresSequence",
    "FramePixelDataPropertiesSequence",
    "XRayGeometrySequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
)


def text(dataset: Dataset, keyword: str) -> str:
    """Return the first value of an element as text without padding; empty if absent or unreadable."""
    return next(iter(texts(dataset, keyword)), "")


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of an element as text without padding; none if absent or unreadable."""
    value = _value(dataset, keyword)
    if value is None:
        return []
    values = value if isinstance(value, _SEVERAL) else [value]
    return ["" if item is None else str(item).strip(" \0") for item in values]


def code(dataset: Dataset, keyword: str) -> str | None:
    """Return the first value of a code string (VR CS, PS3.5 6.2) in upper case, or None.

    Anything that is no code is not repeated: people type into these fields what they like, names among it.
    """
    return code_value(text(dataset, keyword))


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return the values of a numeric element; empty if absent, unreadable or not finite."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return []
    try:
        found = [float(item) for item in (value if isinstance(value, _SEVERAL) else [value])]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(map(math.isfinite, found)) else []


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return the first value as a 32-bit integer (the range of VR IS, PS3.5 6.2), or None."""
    found = numbers(dataset, keyword)
    return int(found[0]) if found and abs(found[0]) < 2**31 else None


def frame_header(dataset: Dataset, frame_number: int, frames: int) -> Dataset:
    """Return what holds for one frame as a flat data set: the image's, then the shared, then its own groups.

    Raises
    ------
    DecodeError
        If the per-frame functional groups do not number the frames.
    """
    header = Dataset()
    header.file_meta = dataset.file_meta
    for keyword in _FRAME_KEYWORDS:
        if keyword in dataset:
            # As it was read: a malformed value matters only if something asks for it.
            header[keyword] = dataset.get_item(keyword)
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if per_frame and len(per_frame) != frames:
        raise DecodeError(
            f"The image has {frames} frames but {len(per_frame)} per-frame functional groups.",
            "Send the instance again from its source.",
        )
    if frames > 1 and not per_frame and "ImagePositionPatient" in header:
        # It is the position of one frame only, and the file does not say how the others lie.
        del header.ImagePositionPatient
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in [*shared[:1], *per_frame[frame_number - 1 : frame_number]]:
        for keyword in _FUNCTIONAL_GROUPS:
            for item in (group.get(keyword) or [])[:1]:
                for element in item:
                    header[element.tag] = element
    return header


def frame_position(header: Dataset) -> tuple[float, float, float] | None:
    """Return ImagePositionPatient (0020,0032) in mm, None where it is unknown."""
    found = numbers(header, "ImagePositionPatient")
    return (found[0], found[1], found[2]) if len(found) == 3 else None


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except (TypeError, ValueError, ArithmeticError, struct.error):
        return None
