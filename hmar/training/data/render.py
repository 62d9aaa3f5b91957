"""Rendering a slice as a view: under a geometry that is known, and displayed as another scanner might."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hmar.model.backbones.base import STRIDE
from hmar.training.data.augment import (
    Augmentation,
    display_channels,
    noise_unit,
    vary_contrast,
    vary_noise,
    vary_sharpness,
)
from hmar.training.data.volumes import THOUSANDTHS, Volume

CANVAS_CELLS = 24
"""Side of every view in feature-map cells: 384 mm at 1.0 mm per pixel."""

CANVAS_PIXELS = CANVAS_CELLS * STRIDE
"""The same in pixels."""

LEAST_CELLS = 4
"""Cells that a view must show to be drawn: the smallest window has 2x2."""

_CONTENT_SHARE = 0.1
"""Share of a cell's pixels that must show more than air for the cell to count."""

_AIR_HU, VACUUM_HU = -900.0, -1024.0
"""Below the first, CT shows air; the second stands beyond a slice's border, as scanners pad it."""

_DARK_SHARE = 0.05
"""Elsewhere, what is darker than this share of the brightest pixel counts as background."""

BRIGHTEST = 0.995
"""Quantile that is shown as white where values have no units: a few bright pixels should not darken all."""

_EVERY_PIXEL = 7
"""That quantile is taken of every seventh pixel, for speed."""

_SHIFT_MM = 36.0
"""Farthest shift of a view along each axis."""

_TURN_DEGREES, _STRETCH, _SCALE = 9.0, 0.05, 0.13
"""Standard deviations of rotation, and of the logarithms of proportions and of size: about what patients and
how they lie differ by."""

_VARIED = Augmentation()


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A slice as it was rendered.

    Parameters
    ----------
    pixels : Tensor of float32, shape (3, 384, 384)
        0 to 1.
    content : Tensor of bool, shape (24, 24)
        Cells that show more than air.
    to_cell : ndarray of float64, shape (2, 3)
        Affine map from in-plane (x, y, 1) in mm to (column, row) in cells.
    """

    pixels: Tensor
    content: Tensor
    to_cell: NDArray[np.float64]

    def without_pixels(self) -> View:
        """Return what is known of the view, without its pixels, which take megabytes."""
        return replace(self, pixels=self.pixels.new_empty(0))

    def shows_enough(self) -> bool:
        """Return whether there is enough on it to draw windows from."""
        return int(self.content.sum()) >= LEAST_CELLS


Grid = Callable[[Tensor, int], Tensor]
"""Where pixels of a canvas lie on a slice: ``theta`` (2, 3) and the canvas' side to (1, side, side, 2)."""


def affine_grid(theta: Tensor, side: int) -> Tensor:
    """Return torch's affine grid, with which all models until now were trained."""
    return F.affine_grid(theta[None], [1, 1, side, side], align_corners=False)


def quick_grid(theta: Tensor, side: int) -> Tensor:
    """Return the same grid, but for rounding, in a third of the time: it is the sum of a row and a column."""
    steps = (torch.arange(side) * 2 + 1) / side - 1  # centres of the pixels, -1 to 1
    along_x, along_y = theta[:, 0, None] * steps, theta[:, 1, None] * steps + theta[:, 2, None]  # (2, side)
    return torch.stack([along_y[axis, :, None] + along_x[axis] for axis in (0, 1)], dim=-1)[None]


def render(
    volume: Volume,
    plane: int,
    pitch_mm: float,
    generator: np.random.Generator | None,
    grid: Grid = affine_grid,
) -> View:
    """Render a slice.

    Parameters
    ----------
    volume : Volume
    plane : int
        Index of the slice.
    pitch_mm : float
        Size of a pixel of the view.
    generator : numpy.random.Generator, optional
        Draws the geometry, and what :mod:`hmar.training.data.augment` varies. Without it, the slice is shown
        as it is.
    grid : callable
        :func:`affine_grid` or :func:`quick_grid`.
    """
    values = torch.from_numpy(volume.values[plane].astype(np.float32))
    if generator is not None and volume.modality == "CT":
        labels = None if volume.labels is None else torch.from_numpy(volume.labels[plane].astype(np.int64))
        values = vary_contrast(values, labels, _VARIED, generator)
        values = vary_sharpness(values, volume.spacing_mm[1:], _VARIED, generator)
    image, affine = _lay(values, volume, pitch_mm, generator, grid)
    content = F.avg_pool2d(_content(image, volume.modality)[None, None], STRIDE)[0, 0] >= _CONTENT_SHARE
    if generator is not None:
        unit = noise_unit(image, hounsfield=volume.modality == "CT")
        image = vary_noise(image, unit, _VARIED, generator)
    if volume.modality == "CT":
        shown = display_channels(image, None if generator is None else _VARIED, generator)
    else:
        bright = float(torch.quantile(image.flatten()[::_EVERY_PIXEL], BRIGHTEST))
        top = THOUSANDTHS if volume.presented else bright
        shown = (image / max(top, 1e-6)).clamp(0, 1).expand(3, -1, -1)
    return View(shown, content, affine)


def _lay(
    values: Tensor, volume: Volume, pitch_mm: float, generator: np.random.Generator | None, grid: Grid
) -> tuple[Tensor, NDArray[np.float64]]:
    """Resample a slice onto the canvas; return it (H, W) and the affine from (x, y, 1) in mm to cells."""
    side = CANVAS_PIXELS
    _, spacing_y, spacing_x = volume.spacing_mm
    _, rows, columns = volume.values.shape
    extent = np.array([columns * spacing_x, rows * spacing_y])
    turn, shift = np.eye(2) / pitch_mm, np.zeros(2)
    if generator is not None:
        turn = random_turn(generator) / pitch_mm
        shift = generator.uniform(-_SHIFT_MM, _SHIFT_MM, 2) / pitch_mm
    offset = side / 2 + shift - turn @ (extent / 2)
    to_pixel = np.column_stack([turn, offset])  # mm to canvas pixels
    back = np.linalg.inv(turn)
    # A grid takes normalised source coordinates as a function of normalised canvas coordinates.
    linear = back * (side / 2) * 2 / extent[:, None]
    constant = (back @ (side / 2 - offset)) * 2 / extent - 1
    theta = torch.tensor(np.column_stack([linear, constant]), dtype=torch.float32)
    outside = VACUUM_HU if volume.modality == "CT" else 0.0
    image = (
        F.grid_sample(values[None, None] - outside, grid(theta, side), align_corners=False)[0, 0] + outside
    )
    return image, to_pixel / STRIDE


def random_turn(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a random scale, rotation and change of proportions, (2, 2)."""
    angle = np.deg2rad(generator.normal(0, _TURN_DEGREES))
    stretch = np.exp(generator.normal(0, _STRETCH))
    scale = np.exp(generator.normal(0, _SCALE))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: NDArray[np.float64] = scale * rotation @ np.diag([stretch, 1 / stretch])
    return turned


def _content(image: Tensor, modality: str) -> Tensor:
    return (image > (_AIR_HU if modality == "CT" else _DARK_SHARE * float(image.max()))).float()
