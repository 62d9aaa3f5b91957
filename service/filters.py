"""What a search is limited to: filters, exclude and group_by, as JSON or as JSON text in a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from hmar.errors import ParameterError, shown
from hmar.properties.conditions import conditions_of_json
from hmar.properties.table import TABLE
from hmar.values.selection import GroupBy, Same, Selection
from service.problems import MalformedRequestError
from service.readers.json_text import json_value
from service.schemas import collection_of


def selection_of(fields: Mapping[str, object]) -> Selection:
    """Return what the fields collection, filters and group_by allow to be found, and in which groups."""
    return Selection(
        collection_of(fields, None),
        filters=conditions_of_json(_object(fields, "filters", tuple(TABLE))),
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
            value = json_value(value)
        except MalformedRequestError as error:
            raise ParameterError(
                f"{name} is {shown(fields[name])}. {error.detail}", f"Give a JSON object. {error.remedy}"
            ) from error
    if not isinstance(value, dict):
        raise ParameterError(f"{name} is {shown(value)}.", "Give a JSON object.")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise ParameterError(f"There is no {name}.{unknown[0][:60]!a}.", f"Use {', '.join(known)}.")
    return value
