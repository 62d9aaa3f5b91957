"""Which entries a search may find."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.kind import Condition
from hmar.properties.table import TABLE

GroupBy = Literal["series", "study", "patient", "place"]
"""A place is a series, and the slices around its nearest frame that show the same."""
Same = Literal["instance", "series", "study", "patient"]


MAX_EXCLUDED = 1000
"""UIDs of each list that a search may leave out, or find alone."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a search leaves out, whether or not it is like the query.

    Parameters
    ----------
    same : str or None
        The "instance", "series", "study" or "patient" that the query itself belongs to.
    series_uids, study_uids, sop_instance_uids : collection of str
        These, up to ``MAX_EXCLUDED`` each. One that is not indexed leaves out nothing.

    Raises
    ------
    ParameterError
        If ``same`` is none of these, or a list is too long or no list of texts.
    """

    same: Same | None = None
    series_uids: Collection[str] = ()
    study_uids: Collection[str] = ()
    sop_instance_uids: Collection[str] = ()

    def __post_init__(self) -> None:
        """Check what was given."""
        if self.same is not None and self.same not in get_args(Same):
            raise ParameterError(
                f"exclude is {shown(self.same)}.", f"Give one of {', '.join(get_args(Same))}."
            )
        for name in ("series_uids", "study_uids", "sop_instance_uids"):
            _check_uids(name, getattr(self, name))


def named_series(only: Collection[str] | None) -> frozenset[str] | None:
    """Return the series that alone may be found, by their UIDs; None for any.

    Raises
    ------
    ParameterError
        If ``only`` is no list of 1 to ``MAX_EXCLUDED`` texts.
    """
    if only is None:
        return None
    _check_uids("only", only)
    if not only:
        raise ParameterError("only has no UID.", "Name a series, or leave it out.")
    return frozenset(only)


def _check_uids(name: str, uids: Collection[str]) -> None:
    listed = isinstance(uids, Collection) and not isinstance(uids, str)
    if not listed or not all(isinstance(uid, str) for uid in uids):
        raise ParameterError(f"{name} is {shown(uids)}.", "Give a list of UIDs.")
    if len(uids) > MAX_EXCLUDED:
        raise ParameterError(f"{name} has {len(uids)} UIDs.", f"Give at most {MAX_EXCLUDED}.")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries may be found, and whether one by one or in groups. None: any.

    It is applied before the k nearest are taken, so that k of them come back where there are k. An entry of
    which a value is unknown is not found by a filter on it, and not left out by an exclusion of it.

    Parameters
    ----------
    collection : str or None
        This collection alone.
    within : frozenset of str or None
        These collections alone, whichever of them is asked for: those that exist for who asks.
    exclude : frozenset of int
        Not these entries.
    filters : mapping of str to Condition
        By the names of properties, what each must fit: any of some texts, a band that includes both its ends,
        or yes or no. See :func:`hmar.properties.conditions.conditions_of_json`.
    not_patient : str or None
        Not the patient with this key.
    not_studies, not_series : frozenset of str
        Not the studies or series with these UIDs.
    only_series : frozenset of str or None
        The series with these UIDs alone.
    group_by : str or None
        The k nearest series, studies or patients, each by its nearest frame alone; for "place", series.
        A frame whose patient is unknown belongs to a patient who has this study and no other.
    as_of : int or None
        Not the entries that the log has after this row. Their ids are rows of it.
    """

    collection: str | None = None
    within: frozenset[str] | None = field(default=None, kw_only=True)
    exclude: frozenset[int] = frozenset()
    filters: Mapping[str, Condition] = field(default_factory=dict, hash=False)
    not_patient: str | None = None
    not_studies: frozenset[str] = frozenset()
    not_series: frozenset[str] = frozenset()
    only_series: frozenset[str] | None = field(default=None, kw_only=True)
    group_by: GroupBy | None = None
    as_of: int | None = None

    def __post_init__(self) -> None:
        """Keep filters as they are now; raises ValueError for one on what is no property."""
        unknown = sorted(set(self.filters) - set(TABLE))
        if unknown:
            raise ValueError(f"There is no property {unknown[0]!r}.")
        object.__setattr__(self, "filters", MappingProxyType(dict(self.filters)))
