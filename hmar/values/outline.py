"""A region that is no box: what a closed line encloses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hmar.errors import RegionError
from hmar.values.geometry import Box, BoxLike, regions_of
from hmar.values.plain import number_of

MIN_POINTS = 3
MAX_POINTS = 256
"""Corners of an outline: enough for one that is drawn by hand."""
_SAMPLES = 64
"""An outline's area and centre are those of so many points along either side of its box."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed line, the last point joined to the first, in source pixels.

    A point is enclosed if a ray from it crosses the line an odd number of times, so that a line that crosses
    itself is none the worse.

    Parameters
    ----------
    points : tuple of (x, y)
        From ``MIN_POINTS`` to ``MAX_POINTS``.
    """

    points: tuple[tuple[float, float], ...]

    @property
    def box(self) -> Box:
        """The least box around the line."""
        (left, top), (right, bottom) = np.min(self.points, axis=0), np.max(self.points, axis=0)
        return Box(float(left), float(top), float(right - left), float(bottom - top))

    def scaled(self, across: float, down: float) -> Outline:
        """Return the line in other units."""
        return Outline(tuple((x * across, y * down) for x, y in self.points))

    def encloses(self, xs: ArrayLike, ys: ArrayLike) -> NDArray[np.bool_]:
        """Return whether the points of a lattice are enclosed, shape (len(ys), len(xs))."""
        x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)[:, None]
        inside = np.zeros((len(y), len(x)), np.bool_)
        for (from_x, from_y), (to_x, to_y) in zip(
            self.points, (*self.points[1:], self.points[0]), strict=True
        ):
            if from_y == to_y:
                continue
            crossing = from_x + (y - from_y) * ((to_x - from_x) / (to_y - from_y))  # (rows, 1)
            inside ^= ((from_y <= y) != (to_y <= y)) & (crossing <= x)
        return inside

    @property
    def area(self) -> float:
        """What is enclosed, in square pixels, about."""
        return float(self._sampled()[0].mean()) * self.box.width * self.box.height

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of mass of what is enclosed, as (x, y); of an area that is too thin, that of its box."""
        inside, xs, ys = self._sampled()
        if not inside.any():
            return self.box.centre
        rows, columns = np.nonzero(inside)
        return float(xs[columns].mean()), float(ys[rows].mean())

    def _sampled(self) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Return which points of the box are enclosed, and their columns and rows."""
        box = self.box
        shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
        xs, ys = box.x + box.width * shares, box.y + box.height * shares
        return self.encloses(xs, ys), xs, ys


Region = Box | Outline
"""What of a frame is searched for."""


RegionLike = BoxLike | Outline
"""A box, its four numbers, or an outline."""


def searched_regions_of(given: RegionLike | Sequence[RegionLike] | None) -> tuple[Region, ...]:
    """Return one region, or a sequence of them; none for None.

    Raises
    ------
    RegionError
        For what is neither four finite numbers nor an outline of as many points as it may have.
    """
    if isinstance(given, Outline):
        return (_checked(given),)
    if given is None or not any(isinstance(each, Outline) for each in given):
        return regions_of(cast(BoxLike | Sequence[BoxLike] | None, given))
    return tuple(region for each in given for region in searched_regions_of(cast(RegionLike, each)))


def _checked(given: Outline) -> Outline:
    outline = outline_of([list(point) for point in given.points])
    if outline is None:
        raise RegionError(
            f"The outline has {len(given.points)} points.",
            f"Give {MIN_POINTS} to {MAX_POINTS} points of two finite numbers.",
        )
    return outline


def box_around(region: Region) -> Box:
    """Return a box as it is, and the least box around an outline."""
    return region.box if isinstance(region, Outline) else region


def outline_of(value: object) -> Outline | None:
    """Return the outline that points of two finite numbers give; None for anything else.

    Parameters
    ----------
    value : object
        A list of [x, y], or a text of x,y with spaces between.
    """
    parts = [part.split(",") for part in value.split()] if isinstance(value, str) else value
    if not isinstance(parts, list) or not MIN_POINTS <= len(parts) <= MAX_POINTS:
        return None
    points = tuple(point for point in map(_point, parts) if point is not None)
    return Outline(points) if len(points) == len(parts) else None


def _point(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = map(number_of, value)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None
