"""Which frames of a series are parallel slices of one volume, and where along its normal each lies."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

from pydicom.dataset import Dataset

from hmar.dicom.header import frame_position, numbers, text, texts
from hmar.dicom.spacing import frame_spacing
from hmar.values.orientation import cosines_of

_KEY_LENGTH = 16
_FARTHEST_MM = 1e6
"""No scanner is longer: what lies farther away is no position."""
_TRAITS = (
    *("FrameOfReferenceUID", "AcquisitionNumber", "TemporalPositionIdentifier", "TriggerTime"),
    *("EchoNumbers", "EchoTime", "InversionTime", "DiffusionBValue", "ConvolutionKernel", "KVP"),
)
"""What differs between images of one series that lie at one place but do not show the same."""


class InStack(NamedTuple):
    """The stack that a frame belongs to within its series, and its position along the normal in mm."""

    stack: str
    along_mm: float


def stack_of(dataset: Dataset, header: Dataset) -> InStack | None:
    """Return where a frame lies in its stack; None where position or orientation is unknown or absurd.

    The normal is that of the image plane (PS3.3 C.7.6.2.1.1), so that the slices of a tilted gantry are
    measured across their planes.

    Parameters
    ----------
    dataset : Dataset
        The image.
    header : Dataset
        Of the frame; see :func:`hmar.dicom.header.frame_header`.
    """
    position, cosines = frame_position(header), cosines_of(numbers(header, "ImageOrientationPatient"))
    if position is None or cosines is None:
        return None
    (rx, ry, rz), (cx, cy, cz) = cosines[:3], cosines[3:]
    normal = (ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx)
    length = math.hypot(*normal)
    if length < 0.9:  # rows and columns are not at right angles
        return None
    along_mm = sum(one * other for one, other in zip(normal, position, strict=True)) / length
    if not abs(along_mm) < _FARTHEST_MM:
        return None
    spacing = frame_spacing(header) or ()
    lie = [f"{round(value, 3) + 0.0:.3f}" for value in (*cosines, *spacing)]  # of 0.000 and -0.000 one
    size = [str(header.get("Rows")), str(header.get("Columns"))]
    traits = [text(dataset, keyword) for keyword in _TRAITS]
    kept = "\0".join([*lie, *size, *traits, *texts(header, "ImageType")])
    return InStack(hashlib.sha256(kept.encode()).hexdigest()[:_KEY_LENGTH], along_mm)
