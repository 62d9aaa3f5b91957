"""Filters by name, as a Python caller gives them, to a selection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import cast, get_args

from hmar import filters
from hmar.errors import ParameterError
from hmar.values.selection import GroupBy, Selection

Day = date | str
FilterValue = str | Iterable[str] | tuple[int | None, int | None] | tuple[Day | None, Day | None] | None
"""One text or any of several; the least and the greatest of a range, None for as far as it goes."""

FILTERS = ("modality", "body_part", "sex", "age_years", "study_date", "manufacturer", "label")


def selection_from(
    wanted: Mapping[str, FilterValue], collection: str | None = None, group_by: GroupBy | None = None
) -> Selection:
    """Return the selection of what a search may find.

    Parameters
    ----------
    wanted : mapping
        Filters by name; None does not filter. "age_years" and "study_date" are ranges, all others texts.
    collection : str, optional
        This collection alone.
    group_by : str, optional
        One hit for each "series", "study" or "patient".

    Raises
    ------
    ParameterError
        If there is no such filter, or a value can be none of its kind.
    """
    asked = {name: value for name, value in wanted.items() if value is not None}
    unknown = sorted(set(asked) - set(FILTERS))
    if unknown:
        raise ParameterError(f"There is no filter {unknown[0]!r}.", f"Use {', '.join(FILTERS)}.")
    if group_by is not None and group_by not in get_args(GroupBy):
        raise ParameterError(f"group_by is {group_by!r}.", f"Give one of {', '.join(get_args(GroupBy))}.")
    return Selection(
        collection,
        modalities=filters.codes("modality", _texts(asked, "modality")),
        body_parts=filters.codes("body_part", _texts(asked, "body_part")),
        sexes=filters.sexes(_texts(asked, "sex")),
        manufacturers=filters.manufacturers(_texts(asked, "manufacturer")),
        labels=filters.labels(_texts(asked, "label")),
        age_years=filters.age_band(*_years(asked)) if "age_years" in asked else None,
        study_dates=filters.date_range(*_days(asked)) if "study_date" in asked else None,
        group_by=group_by,
    )


def _texts(asked: Mapping[str, FilterValue], name: str) -> list[str]:
    """Return the texts of a filter, none where it is not asked for."""
    value = asked.get(name)
    if value is None:
        return []
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ParameterError(f"{name} is {value!r}.", "Give a text, or several.")
    return cast(list[str], texts)


def _years(asked: Mapping[str, FilterValue]) -> tuple[int | None, int | None]:
    low, high = _ends(asked, "age_years")
    for end in (low, high):
        if end is not None and (not isinstance(end, int) or isinstance(end, bool)):
            raise ParameterError(
                f"age_years is {asked['age_years']!r}.", "Give whole years, such as (40, 60)."
            )
    return cast(tuple[int | None, int | None], (low, high))


def _days(asked: Mapping[str, FilterValue]) -> tuple[str | None, str | None]:
    first, last = (_day(end) for end in _ends(asked, "study_date"))
    return first, last


def _day(end: object) -> str | None:
    if end is None or isinstance(end, str):
        return end
    if isinstance(end, date):
        return end.strftime("%Y-%m-%d")
    raise ParameterError(f"The study date is {end!r}.", "Give a date, or YYYY-MM-DD.")


def _ends(asked: Mapping[str, FilterValue], name: str) -> tuple[object, object]:
    value = asked[name]
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ParameterError(f"{name} is {value!r}.", "Give two ends, None for one that is left open.")
    return value[0], value[1]
