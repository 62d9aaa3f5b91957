"""Filters by name, as a Python caller gives them, to a selection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import get_args

from hmar.errors import ParameterError
from hmar.properties.conditions import conditions_of_json
from hmar.properties.python_filters import FilterValue, filters_as_json
from hmar.values.selection import GroupBy, Selection, named_series


def selection_from(
    wanted: Mapping[str, FilterValue],
    collection: str | None = None,
    group_by: GroupBy | None = None,
    only: Collection[str] | None = None,
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
    only : collection of str, optional
        The series with these UIDs alone.

    Raises
    ------
    ParameterError
        If there is no such property, it cannot be what is asked for, or ``only`` is no list of UIDs.
    """
    if group_by is not None and group_by not in get_args(GroupBy):
        raise ParameterError(f"group_by is {group_by!r}.", f"Give one of {', '.join(get_args(GroupBy))}.")
    filters = conditions_of_json(filters_as_json(wanted))
    return Selection(collection, filters=filters, only_series=named_series(only), group_by=group_by)
