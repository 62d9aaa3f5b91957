"""What a viewer is told of a file's header: the attributes on a list, and how the frames are given.

Nothing is on the list that people type in, or that names a patient, a person or a place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from hmar.properties.kinds.codes import code_value
from hmar.values.frames import ImageFile
from hmar.values.stored import Meaning, PixelType, StoredFrame

MAX_VALUES = 16
_UID = re.compile(r"[0-9.]{1,64}")
_INTEGER = 2**31

Value = str | int | float


class Told(NamedTuple):
    """An attribute that may be told: its tag in hexadecimal digits, and its value representation."""

    tag: str
    vr: Literal["UI", "CS", "IS", "DS"]


TOLD: Mapping[str, Told] = {
    "ImageType": Told("00080008", "CS"),
    "SOPClassUID": Told("00080016", "UI"),
    "SpacingBetweenSlices": Told("00180088", "DS"),
    "ImagerPixelSpacing": Told("00181164", "DS"),
    "PatientPosition": Told("00185100", "CS"),
    "AcquisitionNumber": Told("00200012", "IS"),
    "FrameOfReferenceUID": Told("00200052", "UI"),
    "BurnedInAnnotation": Told("00280301", "CS"),
    "LossyImageCompression": Told("00282110", "CS"),
}
"""The list, by keywords (PS3.6). What is known of every frame, such as its spacing, is not on it."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What is told of a frame's file, and of the frame besides its info.

    Parameters
    ----------
    type : str
        Of a pixel, as the stored values of a frame are given.
    bits : int
        Of a value, from 1 to 16.
    meaning : Meaning
        Of the frame's stored values.
    transfer_syntax_uid : str
        How the file is stored; empty for one that is no DICOM.
    attributes : mapping
        Values by keywords of ``TOLD``, none of them empty.
    """

    type: PixelType
    bits: int
    meaning: Meaning
    transfer_syntax_uid: str
    attributes: Mapping[str, tuple[Value, ...]]


class StoredFile(ImageFile, Protocol):
    """An opened file whose frames can be had as they are stored, too, and of which a viewer is told."""

    def stored(self, frame_number: int) -> StoredFrame:
        """Read one frame (numbered from 1); raises DecodeError."""

    def header(self, frame_number: int) -> FileHeader:
        """Return what is told of the file and a frame; raises DecodeError."""


def told_values(keyword: str, found: Sequence[object]) -> tuple[Value, ...]:
    """Return the values of an attribute as they may be told; none at all where one of them may not.

    Parameters
    ----------
    keyword : str
        Of ``TOLD``.
    found : sequence
        What a header says: texts for UI and CS, numbers for IS and DS.
    """
    if not 0 < len(found) <= MAX_VALUES:
        return ()
    vr = TOLD[keyword].vr
    told = [_text(vr, value) if vr in ("UI", "CS") else _number(vr, value) for value in found]
    kept = tuple(value for value in told if value is not None)
    return kept if len(kept) == len(told) else ()


def _text(vr: str, value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return code_value(value) if vr == "CS" else value if _UID.fullmatch(value) else None


def _number(vr: str, value: object) -> Value | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if vr == "DS":
        return float(value)
    return int(value) if abs(value) < _INTEGER and int(value) == value else None
