"""Times and days."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from hmar.values.pulls import day_of

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
StudyDate = Annotated[date, PlainValidator(day_of), WithJsonSchema({"type": "string", "format": "date"})]
"""A day that is asked for."""
