"""Which windows are queries, which are relevant, and how well a window fits a structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.region.planes import GRID, SIDES, Plane
from hmar.values.geometry import Box

MIN_AREA_MM2 = 100.0
QUERIES_PER_STRUCTURE = 8
EXTENT_BELOW_MM = (48.0, 80.0, np.inf)
"""A structure whose longer side is below one of these is queried with the window of that size."""

AREA_BINS_CM2 = ((1.0, 5.0), (5.0, 20.0), (20.0, np.inf))


@dataclass(frozen=True, slots=True)
class RegionQuery:
    """One window that shows a structure.

    Parameters
    ----------
    plane : int
        Which slice.
    size : int
        Index into SIDES.
    row, column : int
        First cells of the window.
    structure : int
    area_mm2 : float
        Of the structure on that slice.
    """

    plane: int
    size: int
    row: int
    column: int
    structure: int
    area_mm2: float


def select_queries(planes: Sequence[Plane], structures: int) -> list[RegionQuery]:
    """Return the queries of a volume: at most 8 of each structure, spread evenly over its slices."""
    chosen = []
    for structure in range(structures):
        found = [
            query
            for index, plane in enumerate(planes)
            if (query := _query(index, plane, structure)) is not None
        ]
        spread = np.linspace(0, len(found) - 1, min(len(found), QUERIES_PER_STRUCTURE))
        chosen += [found[place] for place in np.rint(spread).astype(int)]
    return chosen


def _query(index: int, plane: Plane, structure: int) -> RegionQuery | None:
    """Return the window nearest to a structure's centroid, None where it is small or misses the structure."""
    mask = plane.labels == structure
    spacing = plane.frame.info.spacing
    if spacing is None:
        return None
    area = float(np.count_nonzero(mask)) * spacing.row_mm * spacing.column_mm
    if area <= MIN_AREA_MM2:
        return None
    y, x = np.nonzero(mask)
    height = (int(y.max()) + 1 - int(y.min())) * spacing.row_mm
    width = (int(x.max()) + 1 - int(x.min())) * spacing.column_mm
    size = int(np.searchsorted(EXTENT_BELOW_MM, max(height, width), side="right"))
    centre = ((y.mean() + 0.5) * plane.grid.scale_row, (x.mean() + 0.5) * plane.grid.scale_column)
    side = SIDES[size]
    row, column = (
        int(np.clip(round(place / GRID.stride - side / 2), 0, cells - side))
        for place, cells in zip(centre, plane.cells, strict=True)
    )
    columns = len(plane.window_lattice(side)[1])
    covers = plane.covered(side)[row * columns + column] == structure
    return RegionQuery(index, size, row, column, structure, area) if covers else None


def answerable(queries: Sequence[RegionQuery], gallery: Sequence[Plane]) -> list[RegionQuery]:
    """Return the queries whose structure the other volume has a window of."""
    there = [set(gallery_labels(gallery, side).tolist()) for side in SIDES]
    return [query for query in queries if query.structure in there[query.size]]


def gallery_labels(planes: Sequence[Plane], side: int) -> NDArray[np.int64]:
    """Return the structure that covers the centre of every window of one size, (N,)."""
    return np.concatenate([plane.covered(side) for plane in planes])


def box_round(mask: NDArray[np.bool_]) -> Box:
    """Return the box round what a mask (rows, columns) shows, in its own pixels."""
    y, x = np.nonzero(mask)
    left, top = int(x.min()), int(y.min())
    return Box(left, top, int(x.max()) + 1 - left, int(y.max()) + 1 - top)


def structure_boxes(planes: Sequence[Plane]) -> dict[tuple[int, int], Box]:
    """Return the box, in grid pixels, of each (plane, structure)."""
    boxes = {}
    for index, plane in enumerate(planes):
        for structure in np.unique(plane.labels[plane.labels >= 0]).tolist():
            boxes[index, structure] = plane.grid.to_grid(box_round(plane.labels == structure))
    return boxes


def window_in_grid(row: float, column: float, side: int) -> Box:
    """Return a window's box in grid pixels."""
    return Box(column * GRID.stride, row * GRID.stride, side * GRID.stride, side * GRID.stride)


def overlap(a: Box, b: Box | None) -> float:
    """Return the intersection over union of two boxes, 0 with none."""
    if b is None:
        return 0.0
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def area_bin(area_mm2: float) -> int:
    """Return the index of a region's area bin."""
    return next(index for index, (_, high) in enumerate(AREA_BINS_CM2) if area_mm2 / 100 < high)
