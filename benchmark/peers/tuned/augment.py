"""Augmentation of the images that fine-tune a backbone: geometry, sharpness, tone, noise, erased parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class ImageVariation:
    """How strong the augmentation is.

    Parameters
    ----------
    turn_degrees, scale, stretch : float
        Standard deviations of rotation, and of the logarithms of scale and of proportions.
    shift : float
        Largest shift, as a share of half the image.
    blurred : float
        Share of images that lose half their resolution.
    gamma, contrast, brightness : float
        Standard deviations of the logarithms of gamma and of contrast, and of an offset.
    noise : float
        Highest standard deviation of noise.
    covered : int
        Squares, of a tenth to a third of the side, each of which half of the images have covered.
    """

    turn_degrees: float = 12.0
    scale: float = 0.18
    stretch: float = 0.075
    shift: float = 0.18
    blurred: float = 0.375
    gamma: float = 0.3
    contrast: float = 0.225
    brightness: float = 0.09
    noise: float = 0.06
    covered: int = 2


_LEAST_COVER, _MOST_COVER = 0.09, 0.31
_COVER_VALUE = 0.3


def varied(images: Tensor, variation: ImageVariation, generator: torch.Generator) -> Tensor:
    """Augment each image (B, C, H, W) of values from 0 to 1 independently; half of them are mirrored."""
    seen = _placed(images, variation, generator)
    seen = _toned(_blurred(seen, variation, generator), variation, generator)
    seen = seen + torch.randn(seen.shape, generator=generator) * _each(
        torch.rand(len(seen), generator=generator) * variation.noise
    )
    for _ in range(variation.covered):
        seen = torch.where(_squares(seen, generator)[:, None], _COVER_VALUE, seen)
    return seen.clamp(0, 1)


def _placed(images: Tensor, variation: ImageVariation, generator: torch.Generator) -> Tensor:
    """Mirror, rotate, scale, stretch and shift."""
    count = len(images)
    angle, scale, stretch = (torch.randn(count, generator=generator) for _ in range(3))
    angle = angle * math.radians(variation.turn_degrees)
    scale, stretch = (scale * variation.scale).exp(), (stretch * variation.stretch).exp()
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    affine = torch.empty(count, 2, 3)
    affine[:, 0, 0], affine[:, 0, 1] = scale * stretch * angle.cos() * mirror, -scale * angle.sin()
    affine[:, 1, 0], affine[:, 1, 1] = scale * angle.sin() * mirror, scale / stretch * angle.cos()
    affine[:, :, 2] = (2 * torch.rand(count, 2, generator=generator) - 1) * variation.shift
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _blurred(images: Tensor, variation: ImageVariation, generator: torch.Generator) -> Tensor:
    coarse = F.interpolate(F.avg_pool2d(images, 2), size=images.shape[2:], mode="bilinear")
    chosen = torch.rand(len(images), generator=generator) < variation.blurred
    return torch.where(_each(chosen), coarse, images)


def _toned(images: Tensor, variation: ImageVariation, generator: torch.Generator) -> Tensor:
    gamma, contrast, brightness = (_each(torch.randn(len(images), generator=generator)) for _ in range(3))
    bent = images.clamp(0, 1) ** (gamma * variation.gamma).exp()
    return (bent - 0.5) * (contrast * variation.contrast).exp() + 0.5 + brightness * variation.brightness


def _squares(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return which pixels a square covers, (B, H, W); none in half of the images."""
    count, _, height, width = images.shape
    row, column, side = (torch.rand(count, generator=generator) for _ in range(3))
    half = (_LEAST_COVER + side * (_MOST_COVER - _LEAST_COVER)) / 2
    down, across = (torch.arange(length) / length for length in (height, width))
    inside = ((down - row[:, None]).abs() < half[:, None])[:, :, None]
    inside = inside & ((across - column[:, None]).abs() < half[:, None])[:, None, :]
    return inside & (torch.rand(count, generator=generator) < 0.5)[:, None, None]


def _each(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1)."""
    return values[:, None, None, None]
