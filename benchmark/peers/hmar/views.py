"""The inputs of our model: pooled features, the map on 3x3 parts, and windows of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.peers.scaling import Standardiser, principal_axes
from benchmark.types import Features
from hmar.image.windows import cover
from hmar.model.config import PARTS

WIDTH = 48
LATTICE = ((0.72, 2), (0.43, 4))
"""Side of the windows as a share of the map, and how many there are along each axis."""

_CHUNK = 256
_SAMPLE = 20_000
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The inputs of the network for B images.

    Parameters
    ----------
    pooled : Tensor, shape (B, D)
    frame : Tensor, shape (B, C, 3, 3)
        The map, pooled on 3x3 parts of the image.
    windows : Tensor, shape (B, W, K, 3, 3)
        Principal components of the map, pooled on 3x3 parts of each window.
    """

    pooled: Tensor
    frame: Tensor
    windows: Tensor

    def __len__(self) -> int:
        return len(self.pooled)

    def take(self, rows: NDArray[np.int64]) -> View:
        """Return some of the images, as float32."""
        chosen = torch.from_numpy(rows)
        return View(self.pooled[chosen], self.frame[chosen].float(), self.windows[chosen].float())

    def mirrored(self) -> View:
        """Return the images mirrored left to right; pooled features stay."""
        return View(self.pooled, self.frame.flip(-1), self.windows[:, _mirror_order()].flip(-1))

    def blend(self, other: View, keep: Tensor) -> View:
        """Return mixtures: a share ``keep`` (B,) of these images, the rest of the others."""

        def mix(own: Tensor, foreign: Tensor) -> Tensor:
            return torch.lerp(foreign, own, keep.reshape(-1, *[1] * (own.dim() - 1)))

        return View(
            mix(self.pooled, other.pooled), mix(self.frame, other.frame), mix(self.windows, other.windows)
        )


class Viewer:
    """Makes views, scaled by the images of train.

    Pooled features and map channels are standardised. Windows are pooled from the map's first principal
    components, each scaled to variance 1: the starting point of a 1x1 convolution in front of Expert1.

    Parameters
    ----------
    train : Features
    """

    def __init__(self, train: Features) -> None:
        self._pooled = Standardiser.of(train.pooled)
        cells = _some_cells(train.maps)  # (n, C)
        self._cells = Standardiser.of(cells)
        scaled = self._cells(cells)
        axes = principal_axes(scaled, min(WIDTH, scaled.shape[1]))
        spread = (scaled @ axes).std(axis=0)
        self._axes = torch.from_numpy(axes / np.where(spread > _LEAST_VARIANCE, spread, 1))  # (C, K)
        self.widths = (
            train.pooled.shape[1],
            train.maps.shape[1] * PARTS * PARTS,
            self._axes.shape[1] * PARTS * PARTS,
        )
        """Widths of pooled features, frame and window."""

    def __call__(self, features: Features) -> View:
        """Return the views of images; windows and frame are kept as float16."""
        parts = list(self._parts(features))
        frame, windows = (torch.cat(column) for column in zip(*parts, strict=True))
        return View(torch.from_numpy(self._pooled(features.pooled)), frame, windows)

    def see(self, pooled: Tensor, maps: Tensor) -> View:
        """Return the views of images whose features (B, D) and maps (B, C, h, w) are still trained."""
        mean, deviation = torch.from_numpy(self._pooled.mean), torch.from_numpy(self._pooled.deviation)
        return View((pooled - mean) / deviation, *self._pool_parts(maps))

    def _parts(self, features: Features) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, max(len(features), 1), _CHUNK):
            frame, windows = self._pool_parts(
                torch.from_numpy(features.maps[start : start + _CHUNK].astype(np.float32))
            )
            yield frame.half(), windows.half()

    def _pool_parts(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Pool maps (B, C, h, w) to frames (B, C, 3, 3) and windows (B, W, K, 3, 3)."""
        mean = torch.from_numpy(self._cells.mean)[:, None, None]
        deviation = torch.from_numpy(self._cells.deviation)[:, None, None]
        maps = (raw - mean) / deviation
        components = torch.einsum("bchw,ck->bkhw", maps, self._axes)
        windows = torch.cat([_pool(components, *grid) for grid in LATTICE], dim=1)
        return _pool(maps, 1.0, 1)[:, 0], windows


def _pool(maps: Tensor, share: float, count: int) -> Tensor:
    """Pool a lattice of windows that spans the map: (B, C, h, w) -> (B, count * count, C, 3, 3)."""
    rows, columns = (_weights(cells, share, count) for cells in maps.shape[2:])
    pooled = rows @ maps @ columns.T  # (B, C, count * 3, count * 3)
    parts = pooled.reshape(*maps.shape[:2], count, PARTS, count, PARTS)
    return parts.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)


def _weights(cells: int, share: float, count: int) -> Tensor:
    return torch.from_numpy(cover(np.linspace(0, (1 - share) * cells, count), share * cells, PARTS, cells))


def _mirror_order() -> Tensor:
    """Return which window lies at each window's position after mirroring left to right."""
    orders, before = [], 0
    for _, count in LATTICE:
        orders.append(torch.arange(before, before + count * count).reshape(count, count).flip(1).flatten())
        before += count * count
    return torch.cat(orders)


def _some_cells(maps: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return evenly spread cells (n, C) of the maps."""
    channels = maps.shape[1]
    each = max(maps.shape[2] * maps.shape[3] * len(maps) // _SAMPLE, 1)
    cells = maps.transpose(0, 2, 3, 1).reshape(-1, channels)[::each]
    return cells.astype(np.float32)
