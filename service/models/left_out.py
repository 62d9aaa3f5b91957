"""Fields that may be left out, and may not be null: null is no way of leaving a field out."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

T = TypeVar("T")


class _NotNull:
    """Takes null out of what an optional type takes."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        inner: CoreSchema = schema["schema"]
        return inner


LeftOut = Annotated[T | None, _NotNull()]
"""A field whose default is None, for one that was not sent."""
