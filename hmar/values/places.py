"""Places in three dimensions: neighbouring slices of a series that show what was searched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from hmar.values.entries import EntryInfo
from hmar.values.geometry import Box
from hmar.values.plain import Json, number, number_of


class Extent3d(NamedTuple):
    """Lengths in mm along the rows, along the columns, and through the slices; None where unknown."""

    width_mm: float | None
    height_mm: float | None
    depth_mm: float | None

    def to_dict(self) -> Json:
        """Return the lengths as the API does."""
        return {name: None if value is None else number(value) for name, value in self._asdict().items()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the lengths of an answer."""
        return cls(*(None if told[name] is None else float(told[name]) for name in cls._fields))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a series shows what was searched for.

    Parameters
    ----------
    first, last : EntryInfo
        The frames at its ends, in display order.
    distances : tuple of float
        Local distance of each of its frames, from the first to the last, in bits.
    box : Box
        Covers the boxes of all its frames, in their pixels; of several regions, those of the first.
    extent : Extent3d
        Of the box, and from the first frame to the last, one step between slices added.
    """

    first: EntryInfo
    last: EntryInfo
    distances: tuple[float, ...]
    box: Box
    extent: Extent3d

    @property
    def frames(self) -> int:
        """How many frames it has; slices between them that do not belong to it are not counted."""
        return len(self.distances)

    def to_dict(self) -> Json:
        """Return the place as the API answers with it."""
        return {
            "first": named_frame(self.first),
            "last": named_frame(self.last),
            "frames": self.frames,
            "distances": [number(distance) for distance in self.distances],
            "box": self.box.to_dict(),
            "extent": self.extent.to_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the place of an answer, which names its first and last frame and tells no more of them."""
        return cls(
            EntryInfo.from_dict(told["first"]),
            EntryInfo.from_dict(told["last"]),
            tuple(map(number_of, told["distances"])),
            Box.from_dict(told["box"]),
            Extent3d.from_dict(told["extent"]),
        )


def named_frame(entry: EntryInfo) -> Json:
    """Return a frame as an answer names it: its instance, and which frame and image that is."""
    info = entry.info
    return {
        "sop_instance_uid": info.sop_instance_uid,
        "frame_number": info.frame_number,
        "instance_number": info.instance_number,
    }
