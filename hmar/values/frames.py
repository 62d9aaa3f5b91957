"""Decoded frames, and what is known of them besides their pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, Self, cast, overload

import numpy as np
from numpy.typing import NDArray

from hmar.properties.table import TABLE, Properties
from hmar.values.geometry import Spacing
from hmar.values.plain import Json, number

FloatArray = NDArray[np.float32]

MAX_PROGRESSIVE_SAMPLES = 1 << 27
"""Largest rows x columns x components of a progressive JPEG: it takes some 4 bytes a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInfo(Properties):
    """What is known of one frame besides its pixels. Holds no patient's name, id or date of birth.

    Parameters
    ----------
    study_uid, series_uid, sop_instance_uid : str
        DICOM UIDs; derived ones (``uids_derived``) where the file has none.
    frame_number : int
        From 1, as in DICOM.
    patient_key : str or None
        Keyed hash of the patient's id, or None where the file has none.
    rows, columns : int
        Size of the frame in pixels.
    spacing : Spacing or None
        Pixel spacing in mm, None where unknown.
    pixel_aspect : float or None
        Height of a pixel over its width, where that is known and the spacing is not.
    series_number, instance_number : int or None
        For display order.
    position : tuple of float or None
        ImagePositionPatient in mm (x, y, z).
    stack : str or None
        Frames of a series with the same stack are parallel slices of one volume; None where that is unknown.
    along_mm : float or None
        Position along the normal of the stack in mm, None as above.
    uids_derived : bool
        True if any UID was derived from the content because the file carries none.
    **properties
        Modality, body part and the like; see :class:`hmar.properties.table.Properties`.
    """

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: int
    patient_key: str | None
    rows: int
    columns: int
    spacing: Spacing | None
    series_number: int | None = None
    instance_number: int | None = None
    position: tuple[float, float, float] | None = None
    uids_derived: bool = False
    pixel_aspect: float | None = None
    stack: str | None = None
    along_mm: float | None = None

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer tells of a frame.

        Parameters
        ----------
        told : mapping
            What :meth:`to_dict` returns, or a part of it. UIDs that are not in it become empty, sizes 0, the
            frame's number 1, and all else unknown, as the patient's key always is.
        """
        spacing, place = told.get("spacing_mm"), told.get("position_mm")
        known = {name: item.from_answer(told[name]) for name, item in TABLE.items() if name in told}
        return cls(
            **cast(dict[str, Any], known),
            study_uid=told.get("study_uid") or "",
            series_uid=told.get("series_uid") or "",
            sop_instance_uid=told.get("sop_instance_uid", ""),
            frame_number=told.get("frame_number", 1),
            patient_key=None,
            rows=told.get("rows", 0),
            columns=told.get("columns", 0),
            spacing=None if spacing is None else Spacing(*map(float, spacing)),
            instance_number=told.get("instance_number"),
            position=None if place is None else (float(place[0]), float(place[1]), float(place[2])),
        )

    def properties(self) -> Json:
        """Return the properties that may be shown, None for those that are unknown."""
        return {name: item.to_json(getattr(self, name)) for name, item in TABLE.items() if item.shown}

    def to_dict(self) -> Json:
        """Return all that is known of the frame, but for the patient's key."""
        return {
            "study_uid": self.study_uid,
            "series_uid": self.series_uid,
            "sop_instance_uid": self.sop_instance_uid,
            "frame_number": self.frame_number,
            "instance_number": self.instance_number,
            **self.properties(),
            "rows": self.rows,
            "columns": self.columns,
            "spacing_mm": None if self.spacing is None else self.spacing.to_list(),
            "position_mm": None if self.position is None else [number(value) for value in self.position],
        }


class FrameInfos(Sequence[FrameInfo]):
    """The infos of a file's frames, each made when it is asked for.

    A file of a few kilobytes may have a hundred thousand frames.

    Parameters
    ----------
    first : FrameInfo
        Of frame 1.
    count : int
        Number of frames.
    make : callable or None
        Returns the info of a frame by its number, from 1. None: the frames differ in their number alone.
    """

    def __init__(self, first: FrameInfo, count: int, make: Callable[[int], FrameInfo] | None = None) -> None:
        self._first = first
        self._count = count
        self._make = make

    @property
    def alike(self) -> bool:
        """Whether the infos differ in nothing but the frame's number."""
        return self._make is None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> FrameInfo: ...

    @overload
    def __getitem__(self, index: slice) -> list[FrameInfo]: ...

    def __getitem__(self, index: int | slice) -> FrameInfo | list[FrameInfo]:
        numbers = range(1, self._count + 1)[index]
        return self._info(numbers) if isinstance(numbers, int) else list(map(self._info, numbers))

    def _info(self, frame_number: int) -> FrameInfo:
        if frame_number == self._first.frame_number:
            return self._first
        if self._make is None:
            return replace(self._first, frame_number=frame_number)
        return self._make(frame_number)


class Units(StrEnum):
    """What the numbers in a frame mean."""

    HU = "HU"
    """Hounsfield units, air at -1000; padding is set to -1024."""
    PRESENTATION = "presentation"
    """Display values from 0 (black) to 1 (white) after the VOI LUT and any inversion."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame.

    Parameters
    ----------
    info : FrameInfo
        Its identity and geometry.
    values : ndarray of float32, shape (rows, columns)
        Hounsfield units or presentation values, see ``units``.
    units : Units
        Meaning of ``values``.
    display_window : tuple of float or None
        The file's own display window (centre, width) in HU, None where it has none or where the
        window has already been applied.
    units_note : str or None
        Why a rescaled CT is in presentation values and not in Hounsfield units, None elsewhere.
    """

    info: FrameInfo
    values: FloatArray
    units: Units
    display_window: tuple[float, float] | None = None
    units_note: str | None = None

    @property
    def spacing(self) -> Spacing | None:
        """Pixel spacing in mm, None where unknown."""
        return self.info.spacing


class ImageFile(Protocol):
    """An opened file: its frames are known at once, their pixels are decoded one at a time."""

    @property
    def infos(self) -> Sequence[FrameInfo]:
        """Identity and geometry of each frame, in order of frame number."""

    def frame(self, frame_number: int) -> Frame:
        """Decode one frame (numbered from 1); raises DecodeError."""
