"""What a collection holds, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from hmar.values.plain import Json, optional


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """The live frames of one model in one collection.

    Parameters
    ----------
    collection : str
    frames, series, studies : int
    patients : int
        Those that are known; frames without a patient id count for none.
    labels : mapping of str to int
        Frames by label.
    code_bytes : int
        Size of the codes and of their places, as they are stored.
    last_indexed_at : float or None
        When the newest of the frames was added, in seconds since the epoch; None where the log has lost it.
    windows : int
        Windows that are searched.
    held_back : int
        Frames whose windows are not searched, for another slice of their slab stands for them.
    slab_mm : float or None
        Thickness of the slabs, None where there are none.
    """

    collection: str
    frames: int
    series: int
    studies: int
    patients: int
    labels: Mapping[str, int]
    code_bytes: int
    last_indexed_at: float | None
    windows: int = 0
    held_back: int = 0
    slab_mm: float | None = None

    def to_dict(self) -> Json:
        """Return the numbers as the API does."""
        at = self.last_indexed_at
        return {
            "collection": self.collection,
            "frames": self.frames,
            "series": self.series,
            "studies": self.studies,
            "patients": self.patients,
            "labels": dict(self.labels),
            "code_bytes": self.code_bytes,
            "last_indexed_at": None
            if at is None
            else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
            "windows": self.windows,
            "held_back": self.held_back,
            "slab_mm": optional(self.slab_mm),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the numbers that an answer tells; times are to the millisecond."""
        at = told["last_indexed_at"]
        return cls(
            collection=told["collection"],
            frames=int(told["frames"]),
            series=int(told["series"]),
            studies=int(told["studies"]),
            patients=int(told["patients"]),
            labels=dict(told["labels"]),
            code_bytes=int(told["code_bytes"]),
            last_indexed_at=None if at is None else datetime.fromisoformat(at).timestamp(),
            windows=int(told["windows"]),
            held_back=int(told["held_back"]),
            slab_mm=told["slab_mm"],
        )


def nothing_in(collection: str, slab_mm: float | None = None) -> CollectionInfo:
    """Return the numbers of a collection without frames."""
    return CollectionInfo(collection, 0, 0, 0, 0, {}, 0, None, slab_mm=slab_mm)
