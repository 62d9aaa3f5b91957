"""Which entries a search may find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

GroupBy = Literal["series", "study", "patient"]
Same = Literal["instance", "series", "study", "patient"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries may be found, and whether one by one or in groups. Empty and None: any.

    It is applied before the k nearest are taken, so that k of them come back where there are k. An entry of
    which a value is unknown is not found by a filter on it, and not left out by an exclusion of it.

    Parameters
    ----------
    collection : str or None
        This collection alone.
    exclude : frozenset of int
        Not these entries.
    modalities, body_parts, sexes, manufacturers, labels : frozenset of str
        Any of these; in the form of :mod:`hmar.filters`.
    age_years : tuple of int or None
        Least and greatest age, both included.
    study_dates : tuple of date or None
        First and last day, both included.
    not_patient : str or None
        Not the patient with this key.
    not_study, not_series : str or None
        Not the study or series with this UID.
    group_by : str or None
        The k nearest series, studies or patients, each by its nearest frame alone. A frame whose patient is
        unknown belongs to a patient who has this study and no other.
    """

    collection: str | None = None
    exclude: frozenset[int] = frozenset()
    modalities: frozenset[str] = frozenset()
    body_parts: frozenset[str] = frozenset()
    sexes: frozenset[str] = frozenset()
    manufacturers: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    age_years: tuple[int, int] | None = None
    study_dates: tuple[date, date] | None = None
    not_patient: str | None = None
    not_study: str | None = None
    not_series: str | None = None
    group_by: GroupBy | None = None
