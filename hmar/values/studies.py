"""Studies as they are listed: what their series are together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Self

from hmar.values.entries import SeriesInfo
from hmar.values.plain import Json


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A study in one collection as it is listed: ``series`` and ``frames`` are how many of each."""

    study_uid: str
    collection: str
    study_date: date | None
    modalities: tuple[str, ...]
    series: int
    frames: int

    def to_dict(self) -> Json:
        """Return the study as the API lists it."""
        day = self.study_date
        return {
            "study_uid": self.study_uid,
            "collection": self.collection,
            "study_date": None if day is None else day.isoformat(),
            "modalities": list(self.modalities),
            "series": self.series,
            "frames": self.frames,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the study that an answer lists."""
        day = told["study_date"]
        return cls(
            told["study_uid"],
            told["collection"],
            None if day is None else date.fromisoformat(day),
            tuple(told["modalities"]),
            int(told["series"]),
            int(told["frames"]),
        )


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """A study in one collection, by its series in order of UID; at least one."""

    study_uid: str
    collection: str
    series: tuple[SeriesInfo, ...]

    @property
    def study_date(self) -> date | None:
        """The first day that a series knows."""
        return min((one.study_date for one in self.series if one.study_date is not None), default=None)

    @property
    def listed(self) -> ListedStudy:
        """The study as it is listed, without its series."""
        return ListedStudy(
            self.study_uid,
            self.collection,
            self.study_date,
            tuple(sorted({one.modality for one in self.series})),
            len(self.series),
            sum(one.frames for one in self.series),
        )

    def to_dict(self) -> Json:
        """Return the study as the API lists it, without its series."""
        return self.listed.to_dict()

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the study that an answer tells with its series."""
        study = told["study"]
        series = tuple(SeriesInfo.from_dict(one) for one in told["series"])
        return cls(study["study_uid"], study["collection"], series)


class StudiesWanted(NamedTuple):
    """Which studies are wanted: those with a series of whose first frame all holds that is not None."""

    modality: str | None = None
    since: date | None = None
    until: date | None = None

    def wants(self, modality: str, day: date | None) -> bool:
        """Return whether a series of a modality and a study date is wanted."""
        if self.modality not in (None, modality):
            return False
        if self.since is None and self.until is None:
            return True
        return day is not None and (self.since or day) <= day <= (self.until or day)


class StudiesPage(NamedTuple):
    """Some studies, and whether others follow: of a page those are left out that are damaged."""

    studies: list[StudyInfo]
    more: bool


def studies_of(series: Iterable[SeriesInfo]) -> list[StudyInfo]:
    """Return the studies of some series, in order of (collection, study)."""
    held: defaultdict[tuple[str, str], list[SeriesInfo]] = defaultdict(list)
    for one in series:
        held[one.collection, one.study_uid].append(one)
    return [
        StudyInfo(study_uid, collection, tuple(sorted(held[collection, study_uid], key=_series_uid)))
        for collection, study_uid in sorted(held)
    ]


def _series_uid(series: SeriesInfo) -> str:
    return series.series_uid
