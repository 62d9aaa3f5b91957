"""Which entries a search may find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from hmar.properties.kinds.kind import Condition
from hmar.properties.table import TABLE

GroupBy = Literal["series", "study", "patient"]
Same = Literal["instance", "series", "study", "patient"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries may be found, and whether one by one or in groups. None: any.

    It is applied before the k nearest are taken, so that k of them come back where there are k. An entry of
    which a value is unknown is not found by a filter on it, and not left out by an exclusion of it.

    Parameters
    ----------
    collection : str or None
        This collection alone.
    exclude : frozenset of int
        Not these entries.
    filters : mapping of str to Condition
        By the names of properties, what each must fit: any of some texts, a band that includes both its ends,
        or yes or no. See :func:`hmar.properties.conditions.conditions_of_json`.
    not_patient : str or None
        Not the patient with this key.
    not_study, not_series : str or None
        Not the study or series with this UID.
    group_by : str or None
        The k nearest series, studies or patients, each by its nearest frame alone. A frame whose patient is
        unknown belongs to a patient who has this study and no other.
    as_of : int or None
        Not the entries that the log has after this row. Their ids are rows of it.
    """

    collection: str | None = None
    exclude: frozenset[int] = frozenset()
    filters: Mapping[str, Condition] = field(default_factory=dict, hash=False)
    not_patient: str | None = None
    not_study: str | None = None
    not_series: str | None = None
    group_by: GroupBy | None = None
    as_of: int | None = None

    def __post_init__(self) -> None:
        """Keep filters as they are now; raises ValueError for one on what is no property."""
        unknown = sorted(set(self.filters) - set(TABLE))
        if unknown:
            raise ValueError(f"There is no property {unknown[0]!r}.")
        object.__setattr__(self, "filters", MappingProxyType(dict(self.filters)))
