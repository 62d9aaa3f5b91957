"""Regions that a request names, and boxes that an answer gives; both in source pixels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetPydanticSchema, WithJsonSchema
from pydantic_core import core_schema

from hmar.values import geometry
from hmar.values.outline import MAX_POINTS, MIN_POINTS, Outline, outline_of
from hmar.values.picture_limits import MAX_BOXES
from hmar.values.search_limits import MAX_REGIONS
from service.models.given import Given
from service.models.numbers import Number
from service.models.remedy import Remedy

_REMEDY = Remedy("Give x,y,width,height in source pixels: four finite numbers.")


def _region(value: object) -> geometry.Box:
    box = geometry.box_of(value)
    if box is None:
        raise ValueError(_REMEDY.text)
    return box


_SEARCHED_REMEDY = Remedy(
    "Give x,y,width,height in source pixels: four finite numbers; or the points of an outline, "
    f"{MIN_POINTS} to {MAX_POINTS} of x,y."
)


def _searched(value: object) -> geometry.Box | Outline:
    region = geometry.box_of(value) or outline_of(value)
    if region is None:
        raise ValueError(_SEARCHED_REMEDY.text)
    return region


_SEVERAL = Remedy(f"Give 1 to {MAX_REGIONS} regions of x,y,width,height in source pixels.")
_SEVERAL_SEARCHED = Remedy(
    f"Give 1 to {MAX_REGIONS} regions: x,y,width,height in source pixels, or the points of an outline."
)


def _regions(value: object) -> tuple[geometry.Box, ...]:
    return tuple(map(_region, _parts(value, _SEVERAL)))


def _searched_regions(value: object) -> tuple[geometry.Box | Outline, ...]:
    return tuple(map(_searched, _parts(value, _SEVERAL_SEARCHED)))


def _parts(value: object, remedy: Remedy) -> list[object]:
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list) or not 1 <= len(parts) <= MAX_REGIONS:
        raise ValueError(remedy.text)
    return parts


_DRAWN = Remedy(f"Give box=x,y,width,height in source pixels, at most {MAX_BOXES} times.")


def _boxes(value: object) -> tuple[geometry.Box, ...]:
    if not isinstance(value, list) or len(value) > MAX_BOXES:
        raise ValueError(_DRAWN.text)
    return tuple(map(_region, value))


def _reads(function: Any) -> GetPydanticSchema:
    """Read by a function alone: the tuple itself would become a part of the description."""
    return GetPydanticSchema(lambda _type, _handler: core_schema.no_info_plain_validator_function(function))


_ARRAY = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x, y, width, height in source pixels.",
}
_POINTS = {
    "type": "array",
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "minItems": MIN_POINTS,
    "maxItems": MAX_POINTS,
    "description": "The points x, y of a closed outline in source pixels.",
}
_TOGETHER = "Searched for together: a frame's distance is the mean over the regions of its distance to each."

Region = Annotated[geometry.Box, _reads(_region), WithJsonSchema(_ARRAY), _REMEDY]
Regions = Annotated[
    tuple[geometry.Box, ...],
    _reads(_regions),
    WithJsonSchema(
        {
            "type": "array",
            "items": _ARRAY,
            "minItems": 1,
            "maxItems": MAX_REGIONS,
            "description": _TOGETHER,
        }
    ),
    _SEVERAL,
]
RegionText = Annotated[
    geometry.Box,
    _reads(_region),
    WithJsonSchema(
        {
            "type": "string",
            "description": "x,y,width,height in source pixels.",
            "examples": ["305,335,40,36"],
        }
    ),
    _REMEDY,
]
RegionsText = Annotated[
    tuple[geometry.Box, ...],
    _reads(_regions),
    WithJsonSchema(
        {
            "type": "string",
            "description": "x,y,width,height in source pixels of each, with semicolons between.",
            "examples": ["305,335,40,36;120,200,30,30"],
        }
    ),
    _SEVERAL,
]
SearchedRegion = Annotated[
    geometry.Box | Outline, _reads(_searched), WithJsonSchema({"anyOf": [_ARRAY, _POINTS]}), _SEARCHED_REMEDY
]
SearchedRegions = Annotated[
    tuple[geometry.Box | Outline, ...],
    _reads(_searched_regions),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [_ARRAY, _POINTS]},
            "minItems": 1,
            "maxItems": MAX_REGIONS,
            "description": _TOGETHER,
        }
    ),
    _SEVERAL_SEARCHED,
]
SearchedRegionText = Annotated[
    geometry.Box | Outline,
    _reads(_searched),
    WithJsonSchema(
        {
            "type": "string",
            "description": "x,y,width,height in source pixels, or the points of a closed outline, x,y with "
            "spaces between.",
            "examples": ["305,335,40,36", "305,335 345,335 325,371"],
        }
    ),
    _SEARCHED_REMEDY,
]
SearchedRegionsText = Annotated[
    tuple[geometry.Box | Outline, ...],
    _reads(_searched_regions),
    WithJsonSchema(
        {
            "type": "string",
            "description": f"{_TOGETHER} As for one region, with semicolons between.",
            "examples": ["305,335,40,36;120,200,30,30"],
        }
    ),
    _SEVERAL_SEARCHED,
]


Boxes = Annotated[
    tuple[geometry.Box, ...],
    _reads(_boxes),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MAX_BOXES,
            "description": f"x,y,width,height in source pixels; up to {MAX_BOXES}, each as a field box.",
        }
    ),
    _DRAWN,
]


class Box(Given):
    """A rectangle; pixel (0, 0) covers [0, 1) x [0, 1)."""

    x: Number
    y: Number
    width: Number
    height: Number
