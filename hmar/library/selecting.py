"""Filters by name, as a Python caller gives them, to a selection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import get_args

from hmar.errors import ParameterError, shown
from hmar.properties.conditions import conditions_of_json
from hmar.properties.kinds.bands import Bands
from hmar.properties.table import TABLE
from hmar.values.selection import GroupBy, Selection

End = float | date | str | None
FilterValue = str | bool | Iterable[str] | tuple[End, End] | None
"""One text or any of several; both ends of a band, None for one that is left open; yes or no."""


def selection_from(
    wanted: Mapping[str, FilterValue], collection: str | None = None, group_by: GroupBy | None = None
) -> Selection:
    """Return the selection of what a search may find.

    Parameters
    ----------
    wanted : mapping
        Filters by the names of properties (:data:`hmar.properties.table.TABLE`); None does not filter.
    collection : str, optional
        This collection alone.
    group_by : str, optional
        One hit for each "series", "study" or "patient".

    Raises
    ------
    ParameterError
        If there is no such property, or it cannot be what is asked for.
    """
    if group_by is not None and group_by not in get_args(GroupBy):
        raise ParameterError(f"group_by is {group_by!r}.", f"Give one of {', '.join(get_args(GroupBy))}.")
    asked = {name: _as_json(name, value) for name, value in wanted.items() if value is not None}
    return Selection(collection, filters=conditions_of_json(asked), group_by=group_by)


def _as_json(name: str, value: object) -> object:
    """Return a value as a request has it."""
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
