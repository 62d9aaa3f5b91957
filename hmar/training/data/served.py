"""Slices as the product sees them when it serves: on the grid and under the display that it gives them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.image.grid import GridConfig, channels, make_grid, resample
from hmar.training.data.augment import (
    Augmentation,
    display_channels,
    noise_unit,
    vary_noise,
    vary_sharpness,
    vary_tone,
)
from hmar.training.data.render import BRIGHTEST, VACUUM_HU, random_turn
from hmar.training.data.volumes import THOUSANDTHS, Volume
from hmar.values.frames import FloatArray, Frame, FrameInfo, Units
from hmar.values.geometry import Spacing

_LEAST_BRIGHT = 1e-6
"""Keeps a frame that is black throughout finite."""

_SHIFT = 0.1
"""Farthest shift along each axis, as a share of the frame."""

_VARIED = Augmentation()


def slice_frame(volume: Volume, plane: int) -> Frame:
    """Return a slice as a decoded frame: HU for CT, else presentation values from 0 to 1.

    Values that are not known to be presentation values are scaled by their 99.5 % quantile.
    """
    values = volume.values[plane].astype(np.float32)
    units = Units.HU if volume.modality == "CT" else Units.PRESENTATION
    if units is Units.PRESENTATION:
        top = max(float(np.quantile(values, BRIGHTEST)), _LEAST_BRIGHT)
        values = np.clip(values / (THOUSANDTHS if volume.presented else top), 0, 1).astype(np.float32)
    uid = f"2.25.1.{plane + 1}"
    info = FrameInfo(
        study_uid=uid,
        series_uid=uid,
        sop_instance_uid=uid,
        frame_number=1,
        modality=volume.modality,
        body_part=None,
        patient_key=None,
        rows=values.shape[0],
        columns=values.shape[1],
        spacing=Spacing(*volume.spacing_mm[1:]),
    )
    return Frame(info, values, units)


def served_image(
    volume: Volume, plane: int, grid_config: GridConfig, generator: np.random.Generator | None = None
) -> Tensor:
    """Return the encoder's input for a slice, (3, H, W), values from 0 to 1.

    Parameters
    ----------
    volume : Volume
    plane : int
        Index of the slice.
    grid_config : GridConfig
        The model's grid.
    generator : numpy.random.Generator, optional
        Varies geometry, sharpness, tone, noise and display windows, within the same grid. Without it, the
        slice is exactly what the product encodes.
    """
    frame = slice_frame(volume, plane)
    info = frame.info
    grid = make_grid(info.rows, info.columns, info.spacing, grid_config)
    laid = replace(frame, values=resample(frame.values, grid))
    if generator is None:
        return torch.from_numpy(channels(laid, grid))
    values = _varied(laid.values.copy(), frame.units, grid_config.pitch_mm, generator)
    shown = torch.from_numpy(channels(replace(laid, values=values.numpy()), grid))
    if frame.units is Units.HU:
        shown[:, : grid.filled_rows, : grid.filled_columns] = display_channels(values, _VARIED, generator)
    return shown


def _varied(laid: FloatArray, units: Units, pitch_mm: float, generator: np.random.Generator) -> Tensor:
    hounsfield = units is Units.HU
    values = _moved(torch.from_numpy(laid), VACUUM_HU if hounsfield else 0.0, generator)
    values = vary_sharpness(values, (pitch_mm, pitch_mm), _VARIED, generator)
    if not hounsfield:
        values = vary_tone(values, _VARIED, generator)
    return vary_noise(values, noise_unit(values, hounsfield=hounsfield), _VARIED, generator)


def _moved(values: Tensor, outside: float, generator: np.random.Generator) -> Tensor:
    """Turn, stretch and shift values (H, W) about their middle."""
    theta = np.column_stack([np.linalg.inv(random_turn(generator)), generator.uniform(-_SHIFT, _SHIFT, 2)])
    # Normalised coordinates run from -1 to 1 along both sides, whatever their lengths: a turn by an angle in
    # pixels is one by that angle between the scaled axes.
    aspect = values.shape[0] / values.shape[1]
    theta[0, 1] *= aspect
    theta[1, 0] /= aspect
    grid = F.affine_grid(
        torch.tensor(theta[None], dtype=torch.float32), [1, 1, *values.shape], align_corners=False
    )
    moved: Tensor = F.grid_sample(values[None, None] - outside, grid, align_corners=False)[0, 0] + outside
    return moved
