"""Pairs of windows: the same places on two views, each as the weights that pool it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmar.image.windows import cover
from hmar.model.config import PARTS
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.structures import StructurePlaces


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A view that windows are drawn on.

    Parameters
    ----------
    cells : ndarray of int64, shape (n, 2)
        Row and column of the cells that show more than air.
    to_cell : ndarray of float64, shape (2, 3)
        Affine map from in-plane (x, y, 1) in mm to (column, row) in cells.
    volume, plane : int
    z_mm : float
    """

    cells: NDArray[np.int64]
    to_cell: NDArray[np.float64]
    volume: int
    plane: int
    z_mm: float


class WindowsOfPair(NamedTuple):
    """n windows on the two views of a pair.

    ``first_weights`` and ``second_weights`` (2, n * 3, 32) pool them, ``place`` (n, 4) is (volume, x, y, z)
    in mm, ``first_label`` and ``second_label`` (n,) are the structures at their centres.
    """

    first_weights: NDArray[np.float32]
    second_weights: NDArray[np.float32]
    place: NDArray[np.float64]
    first_label: NDArray[np.int64]
    second_label: NDArray[np.int64]


class WindowPairs:
    """Draws windows on pairs of views.

    Parameters
    ----------
    structures : StructurePlaces
        Of the volumes.
    sides : tuple of int
        Sides that windows have, in cells.
    structure_share : float
        Share of windows drawn on structures, each as often as any other, where they are labelled.
    """

    def __init__(self, structures: StructurePlaces, sides: tuple[int, ...], structure_share: float) -> None:
        self._structures, self._sides, self._structure_share = structures, sides, structure_share

    def draw(self, a: Placed, b: Placed, sides: NDArray[np.int64], rng: np.random.Generator) -> WindowsOfPair:
        """Draw windows of the given sides, in cells: anywhere on ``a``, and on ``b`` snapped to its cells."""
        x, y = self._places(a, len(sides), rng)
        weights_a, _, _ = self._weights(a, x, y, sides, snap=False)
        weights_b, x_b, y_b = self._weights(b, x, y, sides, snap=True)
        place = np.column_stack([np.full(len(x), a.volume), x, y, np.full(len(x), a.z_mm)])
        labels = [
            self._structures.at(a.volume, view.plane, *centre)
            for view, centre in ((a, (x, y)), (b, (x_b, y_b)))
        ]
        return WindowsOfPair(weights_a, weights_b, place, labels[0], labels[1])

    def _places(
        self, view: Placed, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return in-plane positions in mm: some on labelled structures, the others on cells with content."""
        cells, affine = view.cells, view.to_cell
        rows, columns = cells[rng.integers(len(cells), size=count)].T
        points = np.stack([columns, rows]) + rng.random((2, count)) - affine[:, 2:]
        x, y = np.linalg.solve(affine[:, :2], points)
        wanted = np.flatnonzero(rng.random(count) < self._structure_share)
        drawn = self._structures.draw(view.volume, view.plane, len(wanted), rng)
        if drawn is not None:
            x[wanted], y[wanted] = drawn
        return x, y

    def _weights(
        self,
        view: Placed,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sides: NDArray[np.int64],
        *,
        snap: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Return weights (2, n * 3, 32) of windows at places, or snapped to cells, and their centres."""
        affine = view.to_cell
        column, row = affine[:, :2] @ np.stack([x, y]) + affine[:, 2:]
        weights = np.empty((2, len(x), PARTS, CANVAS_CELLS), np.float32)
        centres = []
        for axis, centre in enumerate((row, column)):
            start = centre - sides / 2
            if snap:
                start = np.clip(np.rint(start), 0, CANVAS_CELLS - sides)
            centres.append(start + sides / 2)
            for side in self._sides:
                mine = sides == side
                parts = cover(start[mine], side, PARTS, CANVAS_CELLS)
                weights[axis, mine] = parts.reshape(-1, PARTS, CANVAS_CELLS)
        seen_x, seen_y = np.linalg.solve(affine[:, :2], np.stack(centres[::-1]) - affine[:, 2:])
        return weights.reshape(2, -1, CANVAS_CELLS), seen_x, seen_y
