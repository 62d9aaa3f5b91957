"""Views: slices under a random, known geometry, encoded by the backbone's stem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hmar.model.backbones.base import STRIDE, Backbone
from hmar.training.data.augment import (
    Augmentation,
    display_channels,
    vary_contrast,
    vary_noise,
    vary_sharpness,
)
from hmar.training.data.volumes import Volume

CANVAS_CELLS = 32
"""Side of every view in feature-map cells: 384 mm at 0.75 mm per pixel."""

_LEAST_CELLS = 9
"""Cells that a view must show to be drawn: the smallest window has 3x3."""

_CONTENT_SHARE = 0.1
"""Share of a cell's pixels that must show more than air for the cell to count."""

_AIR_HU, _VACUUM_HU = -900.0, -1024.0
"""Below the first, CT shows air; the second stands beyond a slice's border, as scanners pad it."""

_DARK_SHARE = 0.05
"""Elsewhere, what is darker than this share of the brightest pixel counts as background."""

_BRIGHTEST = 0.995
"""Quantile that is shown as white where values have no units: a few bright pixels should not darken all."""

_EVERY_PIXEL = 7
"""That quantile is taken of every seventh pixel, for speed."""

_DEVIATION_HU = 300.0
"""Standard deviation of a CT slice, roughly: what noise in HU is scaled by where values have no units."""

_SHIFT_PX = 48.0
"""Farthest shift of a view along each axis: 36 mm."""

_TURN_DEGREES, _STRETCH, _SCALE = 9.0, 0.05, 0.13
"""Standard deviations of rotation, and of the logarithms of proportions and of size: about what patients and
how they lie differ by."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewSet:
    """Views as outputs of the backbone's stem, and their geometry.

    Parameters
    ----------
    maps : Tensor of float16, shape (N, C, 32, 32) or finer
        The output of the backbone's stem.
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

    def show_enough(self) -> NDArray[np.bool_]:
        """Return which views show enough to be drawn, bool (N,)."""
        enough: NDArray[np.bool_] = self.content.flatten(1).sum(dim=1).numpy() >= _LEAST_CELLS
        return enough


def make_views(
    volumes: list[Volume],
    backbone: Backbone,
    views_per_slice: int,
    pitch_mm: float,
    generator: np.random.Generator,
    progress: Callable[[int, int], None],
) -> ViewSet:
    """Make views of every slice.

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
    """
    todo = [
        (v, p, k)
        for v, volume in enumerate(volumes)
        for p in range(len(volume.values))
        for k in range(views_per_slice)
    ]
    varied = Augmentation()
    contents, affines = [], []
    maps = torch.empty(0)
    for done, (v, p, k) in enumerate(todo):
        volume = volumes[v]
        image, shown, affine = _view(volume, p, pitch_mm, varied, None if k == 0 else generator)
        stem_map = _encode(backbone, image)
        if done == 0:  # allocated once: maps of a wide backbone take gigabytes, and two copies may not fit
            maps = stem_map.new_empty(len(todo), *stem_map.shape[1:])
        maps[done] = stem_map[0]
        contents.append(shown)
        affines.append(affine)
        progress(done + 1, len(todo))
    index = np.array(todo)
    return ViewSet(
        maps,
        torch.stack(contents),
        index[:, 0],
        index[:, 1],
        np.array([p * volumes[v].spacing_mm[0] for v, p, _ in todo]),
        np.stack(affines),
    )


@torch.inference_mode()
def _encode(backbone: Backbone, image: Tensor) -> Tensor:
    device = next((weights.device for weights in backbone.parameters()), torch.device("cpu"))
    batch = image[None].to(device, memory_format=torch.channels_last)
    return backbone.stem(backbone.normalise(batch)).contiguous().half().cpu()


def _view(
    volume: Volume, plane: int, pitch_mm: float, varied: Augmentation, generator: np.random.Generator | None
) -> tuple[Tensor, Tensor, NDArray[np.float64]]:
    """Return a view (3, H, W) in 0..1, its content by cells (32, 32), and the affine from mm to cells."""
    values = torch.from_numpy(volume.values[plane].astype(np.float32))
    if generator is not None and volume.modality == "CT":
        labels = None if volume.labels is None else torch.from_numpy(volume.labels[plane].astype(np.int64))
        values = vary_contrast(values, labels, varied, generator)
        values = vary_sharpness(values, volume.spacing_mm[1:], varied, generator)
    image, affine = _lay(values, volume, pitch_mm, generator)
    content = F.avg_pool2d(_content(image, volume.modality)[None, None], STRIDE)[0, 0] >= _CONTENT_SHARE
    if generator is not None:
        unit = 1.0 if volume.modality == "CT" else float(image.std()) / _DEVIATION_HU
        image = vary_noise(image, unit, varied, generator)
    if volume.modality == "CT":
        shown = display_channels(image, None if generator is None else varied, generator)
    else:
        top = float(torch.quantile(image.flatten()[::_EVERY_PIXEL], _BRIGHTEST))
        shown = (image / max(top, 1e-6)).clamp(0, 1).expand(3, -1, -1)
    return shown, content, affine


def _lay(
    values: Tensor, volume: Volume, pitch_mm: float, generator: np.random.Generator | None
) -> tuple[Tensor, NDArray[np.float64]]:
    """Resample a slice onto the canvas; return it (H, W) and the affine from (x, y, 1) in mm to cells."""
    side = CANVAS_CELLS * STRIDE
    _, spacing_y, spacing_x = volume.spacing_mm
    _, rows, columns = volume.values.shape
    extent = np.array([columns * spacing_x, rows * spacing_y])
    turn, shift = np.eye(2) / pitch_mm, np.zeros(2)
    if generator is not None:
        turn, shift = _random_turn(generator) / pitch_mm, generator.uniform(-_SHIFT_PX, _SHIFT_PX, 2)
    offset = side / 2 + shift - turn @ (extent / 2)
    to_pixel = np.column_stack([turn, offset])  # mm to canvas pixels
    back = np.linalg.inv(turn)
    # affine_grid takes normalised source coordinates as a function of normalised canvas coordinates.
    linear = back * (side / 2) * 2 / extent[:, None]
    constant = (back @ (side / 2 - offset)) * 2 / extent - 1
    theta = torch.tensor(np.column_stack([linear, constant]), dtype=torch.float32)[None]
    grid = F.affine_grid(theta, [1, 1, side, side], align_corners=False)
    outside = _VACUUM_HU if volume.modality == "CT" else 0.0
    image = F.grid_sample(values[None, None] - outside, grid, align_corners=False)[0, 0] + outside
    return image, to_pixel / STRIDE


def _random_turn(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a random scale, rotation and change of proportions, (2, 2)."""
    angle = np.deg2rad(generator.normal(0, _TURN_DEGREES))
    stretch = np.exp(generator.normal(0, _STRETCH))
    scale = np.exp(generator.normal(0, _SCALE))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: NDArray[np.float64] = scale * rotation @ np.diag([stretch, 1 / stretch])
    return turned


def _content(image: Tensor, modality: str) -> Tensor:
    return (image > (_AIR_HU if modality == "CT" else _DARK_SHARE * float(image.max()))).float()
