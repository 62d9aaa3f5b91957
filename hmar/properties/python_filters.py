"""Filters as a Python caller gives them, in the form that requests have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.bands import Bands
from hmar.properties.kinds.kind import Condition
from hmar.properties.table import TABLE

End = float | date | str | None
FilterValue = str | bool | Iterable[str] | tuple[End, End] | None
"""One text or any of several; both ends of a band, None for one that is left open; yes or no."""


def given_filters(
    where: Mapping[str, FilterValue] | None, filters: Mapping[str, FilterValue]
) -> dict[str, FilterValue]:
    """Return the filters of a mapping and of keywords together; raises ParameterError for one in both."""
    if twice := sorted(set(where or ()) & set(filters)):
        raise ParameterError(f"The filter {shown(twice[0])} is given twice.", "Give it once.")
    return {**(where or {}), **filters}


def filters_as_json(wanted: Mapping[str, FilterValue]) -> dict[str, object]:
    """Return filters as a request has them.

    Parameters
    ----------
    wanted : mapping
        By the names of properties (:data:`hmar.properties.table.TABLE`); None does not filter.

    Raises
    ------
    ParameterError
        If a range is not given by its two ends.
    """
    return {name: _as_json(name, value) for name, value in wanted.items() if value is not None}


def filters_of_conditions(conditions: Mapping[str, Condition]) -> dict[str, FilterValue]:
    """Return conditions that were read already as filters; an end at infinity is left open."""
    return {name: _as_given(condition) for name, condition in conditions.items()}


def _as_given(condition: Condition) -> FilterValue:
    if isinstance(condition, tuple):
        first, last = (None if end in (math.inf, -math.inf) else end for end in condition)
        return first, last
    return condition if isinstance(condition, bool) else sorted(condition)


def _as_json(name: str, value: object) -> object:
    """Return one value as a request has it."""
    kind = TABLE[name].kind if name in TABLE else None
    if isinstance(kind, Bands):
        return _band(name, value, kind.ends)
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def _band(name: str, value: object, names: tuple[str, str]) -> dict[str, object]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ParameterError(
            f"{name} is {shown(value)}.", "Give two ends, such as (40, 60), None for one that is left open."
        )
    ends = (end.isoformat() if isinstance(end, date) else end for end in value)
    return {end_name: end for end_name, end in zip(names, ends, strict=True) if end is not None}
