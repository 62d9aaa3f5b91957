"""Views: slices under a random, known geometry, encoded by the backbone's stem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.backbones.base import Backbone
from hmar.training.data.render import LEAST_CELLS, View, quick_grid, render
from hmar.training.data.volumes import Volume

Slices = Sequence[tuple[int, int]]
"""Slices as (volume, plane)."""

Told = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewSet:
    """Views as outputs of the backbone's stem, and their geometry.

    Parameters
    ----------
    maps : Tensor of float16, shape (N, C, 32, 32) or finer
        The output of the backbone's stem; of shape (N, 0) where views are rendered anew whenever they are
        shown, so that the others tell what is drawn from.
    content : Tensor of bool, shape (N, 32, 32)
        Cells that show more than air.
    volume, plane : ndarray of int64, shape (N,)
        Index of the volume, and of its slice.
    z_mm : ndarray of float64, shape (N,)
        Position of the slice.
    to_cell : ndarray of float64, shape (N, 2, 3)
        Affine map from in-plane (x, y, 1) in mm to (column, row) in cells.
    """

    maps: Tensor
    content: Tensor
    volume: NDArray[np.int64]
    plane: NDArray[np.int64]
    z_mm: NDArray[np.float64]
    to_cell: NDArray[np.float64]

    @classmethod
    def of(cls, maps: Tensor, views: Sequence[View], slices: Slices, volumes: Sequence[Volume]) -> ViewSet:
        """Put together what was rendered of slices, and what the stem made of it."""
        index = np.array(slices, np.int64).reshape(-1, 2)
        return cls(
            maps,
            torch.stack([view.content for view in views]),
            index[:, 0],
            index[:, 1],
            np.array([plane * volumes[volume].spacing_mm[0] for volume, plane in slices]),
            np.stack([view.to_cell for view in views]),
        )

    def show_enough(self) -> NDArray[np.bool_]:
        """Return which views show enough to be drawn, bool (N,)."""
        enough: NDArray[np.bool_] = self.content.flatten(1).sum(dim=1).numpy() >= LEAST_CELLS
        return enough


def all_slices(volumes: Sequence[Volume]) -> list[tuple[int, int]]:
    """Return the slices of all volumes, in order."""
    return [(v, plane) for v, volume in enumerate(volumes) for plane in range(len(volume.values))]


def make_views(
    volumes: list[Volume],
    backbone: Backbone,
    views_per_slice: int,
    pitch_mm: float,
    generator: np.random.Generator,
    progress: Told,
    slices: Slices | None = None,
) -> ViewSet:
    """Make views of slices.

    Parameters
    ----------
    volumes : list of Volume
    backbone : Backbone
        Its stem is run, on the device that it is on. Batch norms may be folded.
    views_per_slice : int
        The first is the slice as it is, the others are random in geometry and in what
        :mod:`hmar.training.data.augment` varies.
    pitch_mm : float
        Grid pixel size.
    generator : numpy.random.Generator
    progress : callable
        Called with (done, total).
    slices : sequence of (int, int), optional
        Which slices; all by default.
    """
    chosen = all_slices(volumes) if slices is None else slices
    todo = [(v, plane, k) for v, plane in chosen for k in range(views_per_slice)]
    made = []
    maps = torch.empty(0)
    for done, (v, plane, k) in enumerate(todo):
        view = render(volumes[v], plane, pitch_mm, None if k == 0 else generator)
        stem_map = _encode(backbone, view.pixels)
        if done == 0:  # allocated once: maps of a wide backbone take gigabytes, and two copies may not fit
            maps = stem_map.new_empty(len(todo), *stem_map.shape[1:])
        maps[done] = stem_map[0]
        made.append(view.without_pixels())
        progress(done + 1, len(todo))
    return ViewSet.of(maps, made, [(v, plane) for v, plane, _ in todo], volumes)


def slice_views(volumes: Sequence[Volume], pitch_mm: float, progress: Told) -> ViewSet:
    """Return every slice as it is, one view each, without maps: what fresh views are drawn from.

    Parameters
    ----------
    volumes : sequence of Volume
    pitch_mm : float
        Grid pixel size.
    progress : callable
        Called with (done, total).
    """
    slices, made = all_slices(volumes), []
    for v, plane in slices:
        made.append(render(volumes[v], plane, pitch_mm, None, quick_grid).without_pixels())
        progress(len(made), len(slices))
    return ViewSet.of(torch.empty(len(slices), 0), made, slices, volumes)


@torch.inference_mode()
def _encode(backbone: Backbone, image: Tensor) -> Tensor:
    device = next((weights.device for weights in backbone.parameters()), torch.device("cpu"))
    batch = image[None].to(device, memory_format=torch.channels_last)
    return backbone.stem(backbone.normalise(batch)).contiguous().half().cpu()
