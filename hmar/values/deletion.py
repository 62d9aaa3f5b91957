"""What is to be deleted, and what was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from hmar.values.entries import Origin
from hmar.values.plain import Json

Level = Literal["instance", "series", "study", "patient"]
Collections = str | frozenset[str] | None
"""One collection, some of them, or None for all."""
_FIELDS: dict[Level, str] = {
    "instance": "sop_instance_uid",
    "series": "series_uid",
    "study": "study_uid",
    "patient": "patient_key",
}


@dataclass(frozen=True, slots=True)
class Selector:
    """The frames of one instance, series, study or patient, of every model.

    Parameters
    ----------
    level : str
        "instance", "series", "study" or "patient".
    value : str
        The UID; of a patient the key (:class:`hmar.dicom.deidentify.PatientHasher`), never the id.
    """

    level: Level
    value: str

    @property
    def field(self) -> str:
        """Field of a frame's info that is compared with the value."""
        return _FIELDS[self.level]


def among(collection: str, collections: Collections) -> bool:
    """Return whether a collection is one of some."""
    if collections is None or isinstance(collections, str):
        return collections in (None, collection)
    return collection in collections


class Extent(NamedTuple):
    """How much a selector covers. An instance or series counts once, in however many collections it is.

    A frame counts once in each collection, under however many models it is indexed.
    """

    frames: int
    instances: int
    series: int
    studies: int

    def to_dict(self) -> Json:
        """Return the counts as the API does."""
        return dict(self._asdict())

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the counts of an answer."""
        return cls(*(int(told[name]) for name in cls._fields))


class Deleted(NamedTuple):
    """What a delete took away.

    Parameters
    ----------
    extent : Extent
    orphans : tuple of Origin
        Where frames came from that no live frame comes from any more.
    """

    extent: Extent
    orphans: tuple[Origin, ...]


class FrameName(NamedTuple):
    """What names one frame: collection, study, series, instance and number."""

    collection: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame_number: int


def extent_of(frames: Iterable[FrameName]) -> Extent:
    """Return the extent of some frames, each of which may be named for several models."""
    listed = set(frames)
    return Extent(
        len(listed),
        len({frame.sop_instance_uid for frame in listed}),
        len({frame.series_uid for frame in listed}),
        len({frame.study_uid for frame in listed}),
    )
