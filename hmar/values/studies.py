"""Studies as they are listed: what their series are together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from hmar.values.entries import SeriesInfo
from hmar.values.plain import Json


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

    def to_dict(self) -> Json:
        """Return the study as the API lists it, without its series."""
        day = self.study_date
        return {
            "study_uid": self.study_uid,
            "collection": self.collection,
            "study_date": None if day is None else day.isoformat(),
            "modalities": sorted({one.modality for one in self.series}),
            "series": len(self.series),
            "frames": sum(one.frames for one in self.series),
        }


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
