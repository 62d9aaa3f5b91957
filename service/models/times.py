"""Times and days of an answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
