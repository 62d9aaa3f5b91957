"""Batches of pairs: the same place seen twice, and which other places may be pushed apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.image.windows import cover
from hmar.model.config import PARTS
from hmar.training.views import CANVAS_CELLS, ViewSet
from hmar.training.volumes import Volume


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Views in pairs, and windows in pairs on them.

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
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    first_weights: Tensor
    second_weights: Tensor
    side_mm: NDArray[np.float64]
    place: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairConfig:
    """How pairs are drawn: views and windows in a batch, and how far apart a pair's slices may lie."""

    views: int = 24
    windows: int = 20
    reach_mm: float = 10.0
    cell_mm: float = 12.0
    sides: tuple[int, ...] = (3, 5, 8)
    side_share: tuple[float, ...] = (0.5, 0.3, 0.2)


class PairSampler:
    """Draws batches from a set of views, volumes in equal shares.

    Parameters
    ----------
    views : ViewSet
    volumes : list of Volume
    config : PairConfig
    generator : numpy.random.Generator
    """

    def __init__(
        self,
        views: ViewSet,
        volumes: list[Volume],
        config: PairConfig,
        generator: np.random.Generator,
    ) -> None:
        self._views, self._volumes, self._config, self._generator = views, volumes, config, generator
        self._of_volume = [np.flatnonzero(views.volume == v) for v in range(len(volumes))]
        share = np.sqrt([len(volume.values) for volume in volumes])
        self._share = share / share.sum()
        self._content = [np.argwhere(mask) for mask in views.content.numpy()]

    def draw(self) -> PairBatch:
        """Draw one batch."""
        config, rng = self._config, self._generator
        chosen = rng.choice(len(self._volumes), config.views, p=self._share)
        first = np.array([self._a_view(int(v)) for v in chosen])
        second = np.array([self._beside(int(view)) for view in first])
        cells = rng.choice(config.sides, (config.views, config.windows), p=config.side_share)
        weights_a, weights_b, places = [], [], []
        for a, b, lengths in zip(first, second, cells, strict=True):
            x, y = self._places(int(a), config.windows)
            weights_a.append(self._weights(int(a), x, y, lengths, snap=False))
            weights_b.append(self._weights(int(b), x, y, lengths, snap=True))
            volume = int(self._views.volume[a])
            z = np.full(config.windows, self._views.z_mm[a])
            places.append(np.column_stack([np.full(config.windows, volume), x, y, z]))
        return PairBatch(
            first,
            second,
            torch.from_numpy(np.stack(weights_a, axis=1)),
            torch.from_numpy(np.stack(weights_b, axis=1)),
            cells.reshape(-1) * config.cell_mm,
            np.concatenate(places),
        )

    def _a_view(self, volume: int) -> int:
        while True:
            view = int(self._generator.choice(self._of_volume[volume]))
            if len(self._content[view]) >= 9:
                return view

    def _beside(self, view: int) -> int:
        """Return another view of a slice within reach of the view's."""
        candidates = self._of_volume[int(self._views.volume[view])]
        near = candidates[
            np.abs(self._views.z_mm[candidates] - self._views.z_mm[view]) <= self._config.reach_mm
        ]
        others = near[near != view]
        return int(self._generator.choice(others)) if len(others) else view

    def _places(self, view: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return in-plane positions in mm whose cells show something."""
        cells = self._content[view]
        rows, columns = cells[self._generator.integers(len(cells), size=count)].T
        jitter = self._generator.random((2, count))
        affine = self._views.to_cell[view]
        x, y = np.linalg.solve(affine[:, :2], np.stack([columns, rows]) + jitter - affine[:, 2:])
        return x, y

    def _weights(
        self,
        view: int,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sides: NDArray[np.int64],
        *,
        snap: bool,
    ) -> NDArray[np.float32]:
        """Return (2, n * 3, 32) weights of windows centred at the places, or snapped to the lattice."""
        affine = self._views.to_cell[view]
        column, row = affine[:, :2] @ np.stack([x, y]) + affine[:, 2:]
        weights = np.empty((2, len(x), PARTS, CANVAS_CELLS), np.float32)
        for axis, centre in enumerate((row, column)):
            start = centre - sides / 2
            if snap:
                start = np.clip(np.rint(start), 0, CANVAS_CELLS - sides)
            for side in self._config.sides:
                mine = sides == side
                parts = cover(start[mine], side, PARTS, CANVAS_CELLS)
                weights[axis, mine] = parts.reshape(-1, PARTS, CANVAS_CELLS)
        return weights.reshape(2, -1, CANVAS_CELLS)


def may_push_apart(place: NDArray[np.float64], least_mm: float | NDArray[np.float64]) -> Tensor:
    """Return (N, N) of bool: whether two places are of different volumes, or at least ``least_mm`` apart."""
    apart = np.linalg.norm(place[:, None, 1:] - place[None, :, 1:], axis=2) >= least_mm
    return torch.from_numpy(apart | (place[:, None, 0] != place[None, :, 0]))
