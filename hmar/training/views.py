"""Views: slices under random, known geometry, run through the frozen trunk once and kept as feature maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.image.grid import HU_DISPLAY_WINDOWS
from hmar.model.trunk import STRIDE
from hmar.training.volumes import Volume

CANVAS_CELLS = 32
"""Side of every view in feature-map cells: 384 mm at 0.75 mm per pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewSet:
    """Feature maps of many views, and where each lies.

    Parameters
    ----------
    maps : Tensor of float16, shape (N, C, 32, 32)
        The trunk's output.
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


def make_views(
    volumes: list[Volume],
    trunk: nn.Module,
    views_per_slice: int,
    pitch_mm: float,
    generator: np.random.Generator,
    progress: Callable[[int, int], None],
) -> ViewSet:
    """Make views of every slice.

    Parameters
    ----------
    volumes : list of Volume
    trunk : nn.Module
        Frozen; maps (B, 3, H, W) in 0..1 to (B, C, H / 16, W / 16).
    views_per_slice : int
        The first is the slice as it is, the others are random in shift, scale, rotation, noise and sharpness.
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
    contents, affines = [], []
    maps = torch.empty(0)
    for done, (v, p, k) in enumerate(todo):
        volume = volumes[v]
        image, affine = _draw(volume, p, pitch_mm, None if k == 0 else generator)
        shown = F.avg_pool2d(_content(image, volume.modality)[None, None], STRIDE)[0, 0] >= 0.1
        trunk_map = _encode(trunk, _channels(image, volume.modality, None if k == 0 else generator))
        if done == 0:  # one allocation: the maps of a wide trunk take gigabytes, and must not be held twice
            maps = trunk_map.new_empty(len(todo), *trunk_map.shape[1:])
        maps[done] = trunk_map[0]
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
def _encode(trunk: nn.Module, image: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        trunk_map: Tensor = trunk(image[None].to(memory_format=torch.channels_last))
    return trunk_map.half()


def _draw(
    volume: Volume, plane: int, pitch_mm: float, generator: np.random.Generator | None
) -> tuple[Tensor, NDArray[np.float64]]:
    """Sample a slice onto the canvas; return it (H, W) and the affine from (x, y, 1) in mm to cells."""
    side = CANVAS_CELLS * STRIDE
    _, spacing_y, spacing_x = volume.spacing_mm
    _, rows, columns = volume.values.shape
    centre = np.array([columns * spacing_x, rows * spacing_y]) / 2
    scale, angle, shift = 1.0, 0.0, np.zeros(2)
    if generator is not None:
        scale = float(np.exp(generator.uniform(-0.18, 0.18)))
        angle = float(np.deg2rad(generator.uniform(-12, 12)))
        shift = generator.uniform(-20, 20, 2)
    turn = scale / pitch_mm * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = side / 2 + shift - turn @ centre
    to_pixel = np.column_stack([turn, offset])  # mm to canvas pixels
    back = np.linalg.inv(turn)
    # affine_grid wants normalised source coordinates as a function of normalised canvas coordinates
    extent = np.array([columns * spacing_x, rows * spacing_y])
    linear = back * (side / 2) * 2 / extent[:, None]
    constant = (back @ (side / 2 - offset)) * 2 / extent - 1
    theta = torch.tensor(np.column_stack([linear, constant]), dtype=torch.float32)[None]
    grid = F.affine_grid(theta, [1, 1, side, side], align_corners=False)
    outside = -1024.0 if volume.modality == "CT" else 0.0
    source = torch.from_numpy(volume.values[plane].astype(np.float32))[None, None] - outside
    image = F.grid_sample(source, grid, align_corners=False)[0, 0] + outside
    if generator is not None:
        image = _degrade(image, volume.modality, generator)
    return image, to_pixel / STRIDE


def _degrade(image: Tensor, modality: str, generator: np.random.Generator) -> Tensor:
    """Vary sharpness and noise, as kernels and doses do."""
    unit = 1.0 if modality == "CT" else float(image.std()) / 300
    if generator.random() < 0.5:
        sigma = generator.uniform(0.4, 1.4)
        radius = torch.arange(-4, 5, dtype=torch.float32)
        kernel = torch.exp(-(radius**2) / (2 * sigma**2))
        kernel = kernel / kernel.sum()
        image = F.conv2d(image[None, None], kernel.view(1, 1, 1, -1), padding=(0, 4))
        image = F.conv2d(image, kernel.view(1, 1, -1, 1), padding=(4, 0))[0, 0]
    noise = torch.from_numpy(generator.standard_normal(tuple(image.shape), dtype=np.float32))
    return image + noise * float(generator.uniform(0, 40)) * unit


def _content(image: Tensor, modality: str) -> Tensor:
    return (image > (-900.0 if modality == "CT" else 0.05 * float(image.max()))).float()


def _channels(image: Tensor, modality: str, generator: np.random.Generator | None) -> Tensor:
    """Return (3, H, W) in 0..1: the HU display windows, or one robust window three times."""
    if modality != "CT":
        top = float(torch.quantile(image.flatten()[::7], 0.995))
        return (image / max(top, 1e-6)).clamp(0, 1).expand(3, -1, -1)
    offset = 0.0 if generator is None else float(generator.uniform(-15, 15))
    planes = [(image + offset - centre + 0.5) / (width - 1) + 0.5 for centre, width in HU_DISPLAY_WINDOWS]
    return torch.stack(planes).clamp(0, 1)
