"""Batches of pairs: two views of the same place, and which other places may serve as negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.errors import ConfigError
from hmar.image.windows import cover
from hmar.model.config import PARTS
from hmar.training.data.image_labels import NO_LABEL, ImageLabels, LabelledViews
from hmar.training.data.structures import StructurePlaces
from hmar.training.data.views import CANVAS_CELLS, ViewSet
from hmar.training.data.volumes import Volume


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Pairs of views, and pairs of windows on them.

    Parameters
    ----------
    first, second : ndarray of int64, shape (M,)
        Indices of the views; each pair shows nearby slices of one volume.
    first_weights, second_weights : Tensor, shape (2, M, n * 3, 32)
        Row and column pooling weights of n windows on each view.
    side_mm : ndarray of float64, shape (M * n,)
        Side of each window.
    place : ndarray of float64, shape (M * n, 4)
        (volume, x, y, z) in mm of each window's centre.
    first_label, second_label : ndarray of int64, shape (M * n,)
        Structure at the centre of each window, NO_STRUCTURE or UNLABELLED.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_weights: Tensor
    second_weights: Tensor
    side_mm: NDArray[np.float64]
    place: NDArray[np.float64]
    first_label: NDArray[np.int64]
    second_label: NDArray[np.int64]

    def alike(self) -> Tensor:
        """Return (M * n, M * n) of bool: pairs of windows that show the same structure, in any patient."""
        label = torch.from_numpy(self.first_label)
        return (label[:, None] == label[None, :]) & (label >= 0)[:, None]


@dataclass(frozen=True, slots=True)
class PairConfig:
    """How pairs are drawn.

    Parameters
    ----------
    views, windows : int
        Pairs of views in a batch, and windows on each.
    reach_mm : float
        How far apart a pair's slices may lie.
    cell_mm : float
    sides : tuple of int
        Of the windows, in cells.
    side_share : tuple of float
        How often each is drawn.
    structure_share : float
        Share of windows drawn on structures, each as often as any other, where they are labelled.
    """

    views: int = 8
    windows: int = 32
    reach_mm: float = 10.0
    cell_mm: float = 12.0
    sides: tuple[int, ...] = (3, 5, 8)
    side_share: tuple[float, ...] = (0.5, 0.3, 0.2)
    structure_share: float = 0.7


class PairSampler:
    """Draws batches: volumes in proportion to the root of their size, labelled structures equally often.

    Views of slices that are labelled as whole images are drawn by label, see :class:`LabelledViews`.

    Parameters
    ----------
    views : ViewSet
    volumes : list of Volume
    config : PairConfig
    generator : numpy.random.Generator
    allowed : ndarray of bool, shape (N,), optional
        Which views may be drawn; all of them by default.
    labels : ImageLabels, optional
        Of whole images; none by default.

    Raises
    ------
    ConfigError
        If no view shows enough to be drawn.
    """

    def __init__(
        self,
        views: ViewSet,
        volumes: list[Volume],
        config: PairConfig,
        generator: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
        labels: ImageLabels | None = None,
    ) -> None:
        self._views, self._volumes, self._config, self._generator = views, volumes, config, generator
        chosen = np.ones(len(views.volume), np.bool_) if allowed is None else allowed
        self._content = [np.argwhere(mask) for mask in views.content.numpy()]
        free = chosen & views.show_enough()
        if not free.any():
            raise ConfigError("No image shows more than air.", "Train on images that show something.")
        self._of_volume = _by_volume(views, chosen, len(volumes))
        self._labelled = None if labels is None else LabelledViews(labels, free)
        if labels is not None and (free & (labels.label == NO_LABEL)).any():
            free = free & (labels.label == NO_LABEL)
        self._first = _by_volume(views, free, len(volumes))
        share = np.sqrt([len(of_volume) for of_volume in self._first])
        self._share = share / share.sum()
        self._structures = StructurePlaces(volumes)

    def state(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return dict(self._generator.bit_generator.state)

    def restore(self, state: dict[str, Any]) -> None:
        """Set the random generator to a state that :meth:`state` returned."""
        self._generator.bit_generator.state = state

    def draw(self, pairs: int | None = None) -> PairBatch:
        """Draw a batch of ``pairs`` pairs of views; by default, as many as are configured."""
        config, rng = self._config, self._generator
        count = config.views if pairs is None else pairs
        chosen = rng.choice(len(self._volumes), count, p=self._share)
        first = np.array([self._a_view(int(v)) for v in chosen])
        first = first if self._labelled is None else self._labelled.put_into(first, rng)
        second = np.array([self._beside(int(view)) for view in first])
        cells = rng.choice(config.sides, (count, config.windows), p=config.side_share)
        parts = [
            self._pair(int(a), int(b), lengths) for a, b, lengths in zip(first, second, cells, strict=True)
        ]
        weights_a, weights_b, places, labels_a, labels_b = zip(*parts, strict=True)
        return PairBatch(
            first,
            second,
            torch.from_numpy(np.stack(weights_a, axis=1)),
            torch.from_numpy(np.stack(weights_b, axis=1)),
            cells.reshape(-1) * config.cell_mm,
            np.concatenate(places),
            np.concatenate(labels_a),
            np.concatenate(labels_b),
        )

    def _pair(
        self, a: int, b: int, sides: NDArray[np.int64]
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float64],
        NDArray[np.int64],
        NDArray[np.int64],
    ]:
        """Draw windows on a pair of views: the weights on both, their places, and the labels on both."""
        x, y = self._places(a, len(sides))
        weights_a, _, _ = self._weights(a, x, y, sides, snap=False)
        weights_b, x_b, y_b = self._weights(b, x, y, sides, snap=True)
        volume = int(self._views.volume[a])
        place = np.column_stack([np.full(len(x), volume), x, y, np.full(len(x), self._views.z_mm[a])])
        labels = [
            self._structures.at(volume, int(self._views.plane[view]), *centre)
            for view, centre in ((a, (x, y)), (b, (x_b, y_b)))
        ]
        return weights_a, weights_b, place, labels[0], labels[1]

    def _a_view(self, volume: int) -> int:
        candidates = self._first[volume]
        shown = self._structures.planes_of_a_structure(volume, self._generator)
        if shown is not None:
            showing = candidates[np.isin(self._views.plane[candidates], shown)]
            candidates = showing if len(showing) else candidates
        return int(self._generator.choice(candidates))

    def _beside(self, view: int) -> int:
        """Return another view of a slice within reach of the view's."""
        candidates = self._of_volume[int(self._views.volume[view])]
        near = candidates[
            np.abs(self._views.z_mm[candidates] - self._views.z_mm[view]) <= self._config.reach_mm
        ]
        others = near[near != view]
        return int(self._generator.choice(others)) if len(others) else view

    def _places(self, view: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return in-plane positions in mm: some on labelled structures, the others on cells with content."""
        rng = self._generator
        cells = self._content[view]
        rows, columns = cells[rng.integers(len(cells), size=count)].T
        affine = self._views.to_cell[view]
        points = np.stack([columns, rows]) + rng.random((2, count)) - affine[:, 2:]
        x, y = np.linalg.solve(affine[:, :2], points)
        volume, plane = int(self._views.volume[view]), int(self._views.plane[view])
        wanted = np.flatnonzero(rng.random(count) < self._config.structure_share)
        drawn = self._structures.draw(volume, plane, len(wanted), rng)
        if drawn is not None:
            x[wanted], y[wanted] = drawn
        return x, y

    def _weights(
        self,
        view: int,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sides: NDArray[np.int64],
        *,
        snap: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Return weights (2, n * 3, 32) of windows at places, or snapped to cells, and their centres."""
        affine = self._views.to_cell[view]
        column, row = affine[:, :2] @ np.stack([x, y]) + affine[:, 2:]
        weights = np.empty((2, len(x), PARTS, CANVAS_CELLS), np.float32)
        centres = []
        for axis, centre in enumerate((row, column)):
            start = centre - sides / 2
            if snap:
                start = np.clip(np.rint(start), 0, CANVAS_CELLS - sides)
            centres.append(start + sides / 2)
            for side in self._config.sides:
                mine = sides == side
                parts = cover(start[mine], side, PARTS, CANVAS_CELLS)
                weights[axis, mine] = parts.reshape(-1, PARTS, CANVAS_CELLS)
        seen_x, seen_y = np.linalg.solve(affine[:, :2], np.stack(centres[::-1]) - affine[:, 2:])
        return weights.reshape(2, -1, CANVAS_CELLS), seen_x, seen_y


def _by_volume(views: ViewSet, chosen: NDArray[np.bool_], volumes: int) -> list[NDArray[np.int64]]:
    """Return the chosen views of each volume, ascending."""
    rows = np.flatnonzero(chosen)
    ordered = rows[np.argsort(views.volume[rows], kind="stable")]
    return np.split(ordered, np.searchsorted(views.volume[ordered], np.arange(1, volumes)))


def may_push_apart(place: NDArray[np.float64], least_mm: float | NDArray[np.float64]) -> Tensor:
    """Return (N, N) of bool: whether two places lie in different volumes, or at least ``least_mm`` apart."""
    apart = np.linalg.norm(place[:, None, 1:] - place[None, :, 1:], axis=2) >= least_mm
    return torch.from_numpy(apart | (place[:, None, 0] != place[None, :, 0]))
