"""Random differences as between two scans of one anatomy: contrast, sharpness, noise, display window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.image.grid import HU_DISPLAY_WINDOWS

ENHANCING_HU = (20.0, 450.0)
"""Tissue that takes up contrast agent, and bone marrow, whose HU depend on the tube's voltage."""

_STRETCH = 0.4
"""Standard deviation of the logarithm that what lies above water is stretched by."""

_ENHANCED_SHARE = 0.5
"""Share of structures that take up the contrast agent of a phase."""

_TISSUE_HU = -100.0
"""Fat and all that is denser; air and lung take up no contrast agent that would show."""

_WATER_HU = 5.0
"""Just above water: no tissue is darkened below it, and what lies below it already is left as it is."""

_COARSE_SHARE = 0.5
"""Share of slices that are seen through coarser pixels."""

_DEVIATION_HU = 300.0
"""Standard deviation of a CT slice, roughly: what noise in HU is scaled by where values have no units."""

_LEAST_PIXELS = 32
"""A coarse slice keeps this many pixels along each side."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much views of a CT slice are varied.

    Parameters
    ----------
    enhancement : float
        Largest change of a labelled structure's HU by contrast agent.
    structure_hu : float
        Standard deviation, in HU, of each labelled structure's own offset.
    pixel_mm : tuple of float
        Range of the coarser pixel size that half of the views are resampled through.
    noise_hu : float
        Largest standard deviation of noise.
    window_shift, window_scale : float
        Standard deviations of the display windows' centre, as a share of their width, and of the logarithm
        of their width.
    gamma, contrast, brightness : float
        Standard deviations of the logarithms of gamma and of contrast, and of an offset, of what has no
        units.
    """

    enhancement: float = 300.0
    structure_hu: float = 30.0
    pixel_mm: tuple[float, float] = (1.2, 3.2)
    noise_hu: float = 25.0
    window_shift: float = 0.06
    window_scale: float = 0.12
    gamma: float = 0.25
    contrast: float = 0.2
    brightness: float = 0.07


def vary_contrast(
    values: Tensor, labels: Tensor | None, varied: Augmentation, generator: np.random.Generator
) -> Tensor:
    """Change how strongly tissue is enhanced, as another phase of contrast agent would.

    Each labelled structure gets an offset of its own, and half of them a share of an offset that is common to
    all; elsewhere, HU above water are stretched or compressed. No tissue is darkened below water.

    Parameters
    ----------
    values : Tensor, shape (H, W)
        HU.
    labels : Tensor of int64, shape (H, W), or None
        Structure of each pixel, -1 for none, -2 where nothing is known; both are varied alike.
    """
    low, high = ENHANCING_HU
    stretch = float(np.exp(generator.normal(0, _STRETCH)))
    enhancing = (values > low) & (values < high)
    varied_values = torch.where(enhancing, low + (values - low) * stretch, values)
    if labels is None:
        return varied_values
    labels = labels.clamp(min=-1)
    count = int(labels.max()) + 2  # the last entry stands for no structure
    common = generator.uniform(-1, 1) * generator.uniform(0, varied.enhancement)
    shares = generator.uniform(0, 1, count) * (generator.random(count) < _ENHANCED_SHARE)
    offsets = torch.from_numpy(common * shares + generator.normal(0, varied.structure_hu, count)).float()
    offsets[-1] = 0.0
    shifted = values + offsets[labels]  # label -1 picks the last entry
    tissue = values > _TISSUE_HU
    return torch.where(
        (labels >= 0) & tissue, torch.maximum(shifted, values.clamp(max=_WATER_HU)), varied_values
    )


def vary_sharpness(
    values: Tensor, spacing_mm: tuple[float, float], varied: Augmentation, generator: np.random.Generator
) -> Tensor:
    """Resample half of the slices through coarser pixels and back; values (H, W)."""
    if generator.random() < _COARSE_SHARE:
        return values
    pixel = generator.uniform(*varied.pixel_mm)
    rows, columns = (
        min(length, max(_LEAST_PIXELS, round(length * spacing / pixel)))
        for length, spacing in zip(values.shape, spacing_mm, strict=True)
    )
    coarse = F.interpolate(values[None, None], size=(rows, columns), mode="area")
    seen: Tensor = F.interpolate(coarse, size=values.shape, mode="bilinear", align_corners=False)[0, 0]
    return seen


def vary_noise(values: Tensor, unit: float, varied: Augmentation, generator: np.random.Generator) -> Tensor:
    """Add noise, as of a lower dose; ``unit`` is the size of one HU in ``values`` (H, W)."""
    noise = torch.from_numpy(generator.standard_normal(tuple(values.shape), dtype=np.float32))
    return values + noise * float(generator.uniform(0, varied.noise_hu)) * unit


def noise_unit(values: Tensor, *, hounsfield: bool) -> float:
    """Return the size of one HU in ``values``, roughly where they have no units."""
    return 1.0 if hounsfield else float(values.std()) / _DEVIATION_HU


def vary_tone(values: Tensor, varied: Augmentation, generator: np.random.Generator) -> Tensor:
    """Display presentation values (H, W), 0 to 1, with another gamma, contrast and brightness."""
    gamma, contrast = (float(np.exp(generator.normal(0, sd))) for sd in (varied.gamma, varied.contrast))
    seen = (values.clamp(0, 1) ** gamma - 0.5) * contrast + 0.5 + generator.normal(0, varied.brightness)
    toned: Tensor = torch.where(values > 0, seen.clamp(0, 1), values)  # what surrounds the image stays black
    return toned


def display_channels(
    values: Tensor, varied: Augmentation | None, generator: np.random.Generator | None
) -> Tensor:
    """Map HU (H, W) through the three display windows to (3, H, W) in 0..1; varied unless both are None."""
    planes = []
    for centre, width in HU_DISPLAY_WINDOWS:
        shown_centre, shown_width = centre, width
        if varied is not None and generator is not None:
            shown_centre += generator.normal(0, varied.window_shift) * width
            shown_width *= float(np.exp(generator.normal(0, varied.window_scale)))
        planes.append((values - shown_centre + 0.5) / (shown_width - 1) + 0.5)
    return torch.stack(planes).clamp(0, 1)
