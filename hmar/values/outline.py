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
_ROWS = 64
"""An outline's area and centre are those of what it encloses of so many rows of its box."""


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
        xs, ys = ([point[axis] for point in self.points] for axis in (0, 1))
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))

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
        _, begins, ends = self._spans()
        return float((ends - begins).sum()) * self.box.height / _ROWS

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of mass of what is enclosed; that of its box where nothing is."""
        ys, begins, ends = self._spans()
        widths = ends - begins
        total = widths.sum()
        if total == 0:
            return self.box.centre
        x = (widths * (begins + ends) / 2).sum() / total
        return float(x), float((widths.sum(axis=1) * ys).sum() / total)

    def _spans(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return rows of the box, and where spans that are enclosed begin and end in each, (rows, spans).

        Points of a lattice would miss what is thinner than their distance.
        """
        box = self.box
        ys = box.y + box.height * (np.arange(_ROWS) + 0.5) / _ROWS
        edges = zip(self.points, (*self.points[1:], self.points[0]), strict=True)
        # Each from above to below, so that a way and the same way back cross a row at the same place.
        downward = [sorted(edge, key=lambda point: point[1]) for edge in edges if edge[0][1] != edge[1][1]]
        (above_x, above_y), (below_x, below_y) = np.reshape(downward, (-1, 2, 2)).transpose(1, 2, 0)
        y = ys[:, None]
        crossing = above_x + (y - above_y) * ((below_x - above_x) / (below_y - above_y))
        # A row crosses an even number of edges. Others end and begin at the right, in spans of no width.
        right = box.x + box.width
        at = np.where((above_y <= y) & (y < below_y), np.minimum(crossing, right), right)
        at.sort(axis=1)
        even = at[:, : at.shape[1] // 2 * 2]
        return ys, even[:, ::2], even[:, 1::2]


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
        return (checked_outline(given),)
    if given is None or not any(isinstance(each, Outline) for each in given):
        return regions_of(cast(BoxLike | Sequence[BoxLike] | None, given))
    return tuple(region for each in given for region in searched_regions_of(cast(RegionLike, each)))


def checked_outline(given: Outline) -> Outline:
    """Return an outline that a caller has made; raises RegionError unless its points can be used."""
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
