"""The properties that answers show of a frame, made of their table."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import WithJsonSchema, create_model

from hmar.properties.table import TABLE
from service.models.given import Given

G = TypeVar("G", bound=Given)


def with_shown_properties(base: type[G]) -> type[G]:
    """Return a model with the fields of ``base``, and after them one for each property that is shown.

    What a value is was decided when it was read; its kind describes it.
    """
    fields: dict[str, Any] = {
        name: (Annotated[Any, WithJsonSchema(item.schema())], ...)
        for name, item in TABLE.items()
        if item.shown
    }
    return create_model(f"{base.__name__}WithProperties", __base__=base, **fields)
