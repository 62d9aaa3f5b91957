"""Regions that a request names, and boxes that an answer gives; both in source pixels."""

from __future__ import annotations

from typing import Annotated

from pydantic import GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from hmar.values import geometry
from service.models.given import Given
from service.models.numbers import Number
from service.models.remedy import Remedy

_REMEDY = Remedy("Give x,y,width,height in source pixels: four finite numbers.")


def _region(value: object) -> geometry.Box:
    box = geometry.box_of(value)
    if box is None:
        raise ValueError(_REMEDY.text)
    return box


_READ = GetPydanticSchema(lambda _type, _handler: core_schema.no_info_plain_validator_function(_region))
"""Reads by the function alone: the tuple itself would become a part of the description."""

Region = Annotated[
    geometry.Box,
    _READ,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 4,
            "maxItems": 4,
            "description": "x, y, width, height in source pixels.",
        }
    ),
    _REMEDY,
]
RegionText = Annotated[
    geometry.Box,
    _READ,
    WithJsonSchema(
        {
            "type": "string",
            "description": "x,y,width,height in source pixels.",
            "examples": ["305,335,40,36"],
        }
    ),
    _REMEDY,
]


class Box(Given):
    """A rectangle; pixel (0, 0) covers [0, 1) x [0, 1)."""

    x: Number
    y: Number
    width: Number
    height: Number
