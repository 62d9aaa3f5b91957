"""What a search is limited to: filters, exclude and group_by, as JSON or as JSON text in a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import cast, get_args

from hmar import filters
from hmar.errors import ParameterError, shown
from hmar.values.selection import GroupBy, Same, Selection
from service.schemas import collection_of

_FILTERS = ("modality", "body_part", "sex", "age_years", "study_date", "manufacturer", "label")


def selection_of(fields: Mapping[str, object]) -> Selection:
    """Return what the fields collection, filters and group_by allow to be found, and in which groups."""
    asked = _object(fields, "filters", _FILTERS)
    return Selection(
        collection_of(fields, None),
        modalities=filters.codes("modality", _values(asked, "modality")),
        body_parts=filters.codes("body_part", _values(asked, "body_part")),
        sexes=filters.sexes(_values(asked, "sex")),
        manufacturers=filters.manufacturers(_values(asked, "manufacturer")),
        labels=filters.labels(_values(asked, "label")),
        age_years=_ages(asked["age_years"]) if "age_years" in asked else None,
        study_dates=_dates(asked["study_date"]) if "study_date" in asked else None,
        group_by=_group_by(fields.get("group_by")),
    )


def excluded(fields: Mapping[str, object]) -> Same | None:
    """Return what of the query's own is left out, by the field exclude."""
    asked = _object(fields, "exclude", ("same",))
    if not asked:
        return None
    return cast(Same, _one_of("exclude.same", asked["same"], get_args(Same)))


def _group_by(value: object) -> GroupBy | None:
    return None if value is None else cast(GroupBy, _one_of("group_by", value, get_args(GroupBy)))


def _ages(value: object) -> tuple[int, int]:
    ends = _ends("age_years", value, "min", "max")
    if not all(end is None or (isinstance(end, int) and not isinstance(end, bool)) for end in ends):
        raise ParameterError(f"age_years is {shown(value)}.", "Give whole numbers.")
    return filters.age_band(*cast(tuple[int | None, int | None], ends))


def _dates(value: object) -> tuple[date, date]:
    ends = _ends("study_date", value, "from", "to")
    if not all(end is None or isinstance(end, str) for end in ends):
        raise ParameterError(f"study_date is {shown(value)}.", "Give YYYY-MM-DD in quotes.")
    return filters.date_range(*cast(tuple[str | None, str | None], ends))


def _ends(name: str, value: object, first: str, last: str) -> tuple[object, object]:
    if not isinstance(value, dict) or not value or set(value) - {first, last}:
        raise ParameterError(
            f"{name} is {shown(value)}.", f"Give an object of {first} and {last}, or of one of them."
        )
    return value.get(first), value.get(last)


def _values(asked: Mapping[str, object], name: str) -> list[str]:
    """Return the texts of a filter, none where it is not asked for."""
    if name not in asked:
        return []
    value = asked[name]
    listed = value if isinstance(value, list) else [value]
    texts = [item for item in listed if isinstance(item, str)]
    if not 1 <= len(texts) <= filters.MAX_VALUES or len(texts) < len(listed):
        raise ParameterError(
            f"{name} is {shown(value)}.", f"Give a text, or a list of 1 to {filters.MAX_VALUES} texts."
        )
    return texts


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ParameterError(f"{name} is {shown(value)}.", f"Give one of {', '.join(choices)}.")
    return str(value)


def _object(fields: Mapping[str, object], name: str, known: tuple[str, ...]) -> dict[str, object]:
    """Return an object field, from JSON text where a form sent it; empty where there is none."""
    value = fields.get(name)
    if value is None:
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ParameterError(f"{name} is {shown(fields[name])}.", "Give a JSON object.") from error
    if not isinstance(value, dict):
        raise ParameterError(f"{name} is {shown(value)}.", "Give a JSON object.")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise ParameterError(f"There is no {name}.{unknown[0][:60]!a}.", f"Use {', '.join(known)}.")
    return value
