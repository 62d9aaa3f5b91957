"""Rows of the catalogue and of its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple, Self

from hmar.values.codes import EncodedFrame
from hmar.values.digests import Digests
from hmar.values.frames import FrameInfo
from hmar.values.plain import Json


class Origin(NamedTuple):
    """Where a frame's bytes can be read again: the name of an image source, and its reference there."""

    source: str
    reference: str


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """A catalogue row without its codes. ``origin`` and ``digests`` stay on the server."""

    entry_id: int
    collection: str
    info: FrameInfo
    model_fingerprint: str
    origin: Origin
    digests: Digests | None = None

    def to_dict(self) -> Json:
        """Return the frame as the API lists it among those of its series."""
        listed = (
            "sop_instance_uid",
            "frame_number",
            "instance_number",
            "rows",
            "columns",
            "spacing_mm",
            "position_mm",
        )
        known = self.info.to_dict()
        return {name: known[name] for name in listed}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the frame that an answer lists or names; what stays on the server is empty."""
        return cls(0, told.get("collection", ""), FrameInfo.from_dict(told), "", Origin("", ""))


class Appended(NamedTuple):
    """How many frames an append added, and how many were there already."""

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True, eq=False)
class LogRow:
    """One row of the append-only log.

    ``encoded`` is None for a delete and for an add deleted since. ``mark`` is drawn at random when the row is
    written: two catalogues whose rows of one number have the same mark have the same log up to there, for one
    is a copy of the other.
    """

    seq: int
    kind: Literal["add", "delete"]
    entry_id: int
    collection: str
    mark: str
    encoded: EncodedFrame | None


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """A series as it is listed, by what is known of its first frame.

    ``patient`` is the handle of its patient, as patients are listed by: None without a patient id, and before
    :class:`hmar.values.listed_patients.PatientHandles` has given it. ``patient_key`` stays on the server.
    """

    study_uid: str
    series_uid: str
    collection: str
    modality: str
    body_part: str | None
    study_date: date | None
    frames: int
    label: str | None = None
    series_description: str | None = None
    patient: str | None = None
    patient_key: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, first: EntryInfo, frames: int) -> SeriesInfo:
        """Return a series by its first frame and the number of all."""
        info = first.info
        return cls(
            info.study_uid,
            info.series_uid,
            first.collection,
            info.modality,
            info.body_part,
            info.study_date,
            frames,
            info.label,
            info.series_description,
            patient_key=info.patient_key,
        )

    def to_dict(self) -> Json:
        """Return the series as the API lists it."""
        day = self.study_date
        return {
            "study_uid": self.study_uid,
            "series_uid": self.series_uid,
            "collection": self.collection,
            "modality": self.modality,
            "body_part": self.body_part,
            "study_date": None if day is None else day.isoformat(),
            "frames": self.frames,
            "label": self.label,
            "series_description": self.series_description,
            "patient": self.patient,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the series that an answer lists."""
        day = told["study_date"]
        return cls(
            told["study_uid"],
            told["series_uid"],
            told["collection"],
            told["modality"],
            told["body_part"],
            None if day is None else date.fromisoformat(day),
            int(told["frames"]),
            told["label"],
            told["series_description"],
            told["patient"],
        )
