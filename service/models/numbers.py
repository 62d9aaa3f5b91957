"""Numbers of an answer: a whole one is an integer, as the values of the domain give it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
NotNegative = Annotated[int | float, WithJsonSchema({"type": "number", "minimum": 0})]
Share = Annotated[int | float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Score = Annotated[int | float, WithJsonSchema({"type": "number", "maximum": 1})]
Count = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0})]
FromOne = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1})]
Spacing = Annotated[
    list[Number],
    Field(min_length=2, max_length=2, description="Pixel spacing in mm between rows, then between columns."),
]
Position = Annotated[
    list[Number], Field(min_length=3, max_length=3, description="ImagePositionPatient (x, y, z).")
]
