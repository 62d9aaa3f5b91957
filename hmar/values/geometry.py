"""Places in an image: the spacing of its pixels, and boxes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from hmar.errors import RegionError, shown
from hmar.values.plain import Json, number, number_of


class Spacing(NamedTuple):
    """Distance between pixel centres in mm: between rows, then between columns (PS3.3 10.7.1.3)."""

    row_mm: float
    column_mm: float

    def to_list(self) -> list[float | int]:
        """Return the spacing as [between rows, between columns], in full: lengths in mm follow from it."""
        return [int(value) if value.is_integer() else value for value in map(float, self)]


class Box(NamedTuple):
    """An axis-aligned rectangle in source pixels; pixel (0, 0) covers [0, 1) x [0, 1)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre as (x, y) in source pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def covering(self, other: Box) -> Box:
        """Return the least rectangle that both lie in."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def intersection_over_union(self, other: Box) -> float:
        """Return the area that both have, as a share of the area that either has."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        both = max(across, 0.0) * max(down, 0.0)
        either = self.width * self.height + other.width * other.height - both
        return both / either if either > 0 else 0.0

    def extent_mm(self, spacing: Spacing) -> Box:
        """Return the same rectangle in mm from the image's upper left corner."""
        return Box(
            self.x * spacing.column_mm,
            self.y * spacing.row_mm,
            self.width * spacing.column_mm,
            self.height * spacing.row_mm,
        )

    def to_dict(self) -> Json:
        """Return the rectangle as the API does."""
        return {name: number(value) for name, value in self._asdict().items()}

    @classmethod
    def from_dict(cls, told: Mapping[str, float]) -> Self:
        """Return the rectangle that an answer of the API gives."""
        return cls(**{name: float(told[name]) for name in cls._fields})


BoxLike = Box | tuple[float, float, float, float]
"""A box, or its four numbers: x, y, width, height."""


def box_of(value: object) -> Box | None:
    """Return the box that four finite numbers give; None for anything else.

    Parameters
    ----------
    value : object
        x, y, width and height: numbers or their texts in a list or tuple, or one text with commas between.
    """
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != len(Box._fields):
        return None
    numbers = [number_of(part) for part in parts]
    return Box(*numbers) if all(map(math.isfinite, numbers)) else None


def region_of(value: object) -> Box:
    """Return a region as :func:`box_of` does; raises RegionError for anything but four finite numbers."""
    box = box_of(value)
    if box is None:
        raise RegionError(
            f"The region is {shown(value)}.", "Give x,y,width,height in source pixels: four finite numbers."
        )
    return box


def regions_of(boxes: BoxLike | Sequence[BoxLike] | None) -> tuple[Box, ...]:
    """Return one box, or a sequence of them, as regions; none for None. Raises as :func:`region_of`."""
    if boxes is None:
        return ()
    given: tuple[object, ...] = tuple(boxes)
    if given and all(isinstance(each, list | tuple) for each in given):
        return tuple(map(region_of, given))
    return (region_of(given),)
