"""What pydantic refuses, in the words of the API: the field, its value, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from hmar.errors import ParameterError, shown
from service.models.remedy import Remedy
from service.readers.known import unknown_field

_BETWEEN = re.compile(r", | or ")


class _Place(NamedTuple):
    """Where something is wrong: the names on the way, the model that has the last of them, and its field."""

    names: tuple[str, ...]
    owner: type[BaseModel]
    field: FieldInfo | None


def refusal_of(error: ValidationError, model: type[BaseModel], what: str = "field") -> ParameterError:
    """Return the error of the API for a request that does not fit its model.

    A name that is not known comes first: it is often another one, misspelt, that is missed next.

    Parameters
    ----------
    error : ValidationError
    model : type of BaseModel
        What was validated.
    what : str
        What the fields are called.
    """
    found = error.errors(include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place = _place(model, first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(place, what)
    if first["type"].startswith("union_tag"):
        return _tagged(first, place)
    return _unusable(first, place)


def _unknown(place: _Place, what: str) -> ParameterError:
    *parents, name = place.names
    known = place.owner.model_fields
    if not parents:
        return unknown_field(name, known, what)
    return ParameterError(f"There is no {'.'.join(parents)}.{name[:60]!a}.", f"Use {', '.join(known)}.")


def _tagged(first: ErrorDetails, place: _Place) -> ParameterError:
    """Return the error for an object of which it depends on a field what the others are."""
    name = first["ctx"]["discriminator"].strip("'")
    return ParameterError(f"{name} is {shown(first['input'].get(name))}.", _remedy(first, place))


def _unusable(first: ErrorDetails, place: _Place) -> ParameterError:
    name = ".".join(place.names)
    missing = first["type"] == "missing"
    if first["input"] is None and not missing:
        return ParameterError(f"{name} is null.", "Give a value, or leave the field out.")
    if place.field is not None and not place.field.repr:
        if isinstance(first["input"], str) and not missing:
            return ParameterError(f"{name} is a text that cannot be used.", _remedy(first, place))
        return ParameterError(f"{name} is missing, or no text.", f"Give {name} as a text.")
    return ParameterError(f"{name} is {shown(None if missing else first['input'])}.", _remedy(first, place))


def _remedy(first: ErrorDetails, place: _Place) -> str:
    """Return what the field's type says can be done."""
    marks = [] if place.field is None else [*_marks(place.field)]
    for mark in marks:
        if isinstance(mark, Remedy):
            return mark.text
    bounds = [getattr(mark, name) for name in ("ge", "le") for mark in marks if hasattr(mark, name)]
    if len(bounds) == 2:
        return f"Give a whole number from {bounds[0]} to {bounds[1]}."
    if "expected" in first.get("ctx", {}):
        choices = _BETWEEN.split(first["ctx"]["expected"].replace("'", ""))
        return f"Give one of {', '.join(choices)}."
    return "Give a text." if first["type"] == "string_type" else "See /openapi.json for what is taken."


def _marks(field: FieldInfo) -> Iterator[Any]:
    """Go through what marks a field and, where it may be left out, what marks its type."""
    yield from field.metadata
    inner = get_args(field.annotation)
    if type(None) not in inner:
        return
    for mark in chain.from_iterable(get_args(each)[1:] for each in inner if get_origin(each) is Annotated):
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)


def _place(model: type[BaseModel], loc: tuple[int | str, ...]) -> _Place:
    """Follow a way into a model. In a union of models its first step is the tag that chooses one of them."""
    owner, field = model, model.model_fields.get("root")
    names = list(map(str, loc))
    if field is not None and names:
        tag, *names = names
        owner = next((one for one in _models(field.annotation) if _has_tag(one, tag)), owner)
    for step, name in enumerate(names):
        field = owner.model_fields.get(name)
        if field is not None and step + 1 < len(names):
            owner = next(_models(field.annotation), owner)
    return _Place(tuple(names), owner, field)


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    return any(tag in get_args(field.annotation) for field in model.model_fields.values())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Go through the models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
