"""The encoder's grid: frames resampled to a known pixel pitch, and coordinates between the two.

Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)`` and its centre lies at ``i + 0.5``, in the
source as on the grid. A source coordinate times ``scale`` is the grid coordinate; there is no other half-
pixel rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hmar.values.frames import FloatArray, Frame, Units
from hmar.values.geometry import Box, Spacing

HU_DISPLAY_WINDOWS = ((40.0, 400.0), (-600.0, 1500.0), (400.0, 1800.0))
"""Soft tissue, lung and bone: (centre, width) in HU of the encoder's three channels."""


@dataclass(frozen=True, slots=True)
class GridConfig:
    """How frames are resampled to the grid; part of a model's configuration.

    Parameters
    ----------
    pitch_mm : float
        Grid pixel size where the frame's spacing is known.
    unknown_side : int
        Length of the longer side, in grid pixels, where it is not.
    max_side : int
        No side is longer than this; a larger frame gets a coarser grid.
    min_side : int
        A frame whose longer side would be shorter than this is enlarged like one of unknown spacing.
    stride : int
        Grid pixels per cell of the feature map; both sides are padded to a multiple of it.
    min_cells : int
        Both sides are padded to at least this many cells.
    """

    pitch_mm: float = 1.0
    unknown_side: int = 336
    max_side: int = 576
    min_side: int = 72
    stride: int = 16
    min_cells: int = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """One frame's grid. ``filled_*`` is the part that holds the frame; the rest is padding."""

    filled_rows: int
    filled_columns: int
    rows: int
    columns: int
    scale_row: float
    scale_column: float

    def to_grid(self, box: Box) -> Box:
        """Return a box in source pixels as grid pixels."""
        return Box(
            box.x * self.scale_column,
            box.y * self.scale_row,
            box.width * self.scale_column,
            box.height * self.scale_row,
        )

    def to_source(self, box: Box) -> Box:
        """Return a box in grid pixels as source pixels."""
        return Box(
            box.x / self.scale_column,
            box.y / self.scale_row,
            box.width / self.scale_column,
            box.height / self.scale_row,
        )


def make_grid(
    rows: int,
    columns: int,
    spacing: Spacing | None,
    config: GridConfig,
    pixel_aspect: float | None = None,
) -> Grid:
    """Lay out the grid of a frame.

    Parameters
    ----------
    rows, columns : int
        Size of the frame in source pixels.
    spacing : Spacing or None
        Pixel spacing in mm.
    config : GridConfig
        The model's grid.
    pixel_aspect : float or None
        Height of a pixel over its width where the spacing is unknown; None for square pixels.
    """
    aspect = spacing.row_mm / spacing.column_mm if spacing is not None else pixel_aspect or 1.0
    across = config.unknown_side / max(rows * aspect, columns)
    scale = (across * aspect, across)
    if spacing is not None:
        physical = (spacing.row_mm / config.pitch_mm, spacing.column_mm / config.pitch_mm)
        if max(rows * physical[0], columns * physical[1]) >= config.min_side:
            scale = physical
    shrink = min(1.0, config.max_side / max(rows * scale[0], columns * scale[1]))
    filled_rows = max(1, round(rows * scale[0] * shrink))
    filled_columns = max(1, round(columns * scale[1] * shrink))
    return Grid(
        filled_rows,
        filled_columns,
        _padded(filled_rows, config),
        _padded(filled_columns, config),
        filled_rows / rows,
        filled_columns / columns,
    )


def _padded(length: int, config: GridConfig) -> int:
    cells = max(config.min_cells, -(-length // config.stride))
    return cells * config.stride


def resample(values: FloatArray, grid: Grid) -> FloatArray:
    """Resample (rows, columns) values onto the filled part of a grid, area-weighted where it is coarser."""
    if values.shape == (grid.filled_rows, grid.filled_columns):
        return values
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    size = (grid.filled_columns, grid.filled_rows)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def display(values: FloatArray, centre: float, width: float) -> FloatArray:
    """Apply a linear display window (PS3.3 C.11.2.1.2.1): values in HU to 0..1, clipped."""
    low = centre - 0.5 - (width - 1) / 2
    shown: FloatArray = np.clip((values - low) / max(width - 1, 1e-6), 0.0, 1.0).astype(np.float32)
    return shown


def channels(frame: Frame, grid: Grid) -> FloatArray:
    """Return the encoder's input on the grid.

    Returns
    -------
    ndarray of float32, shape (3, grid.rows, grid.columns)
        Values from 0 to 1: the three HU display windows for Hounsfield units, presentation values in all
        three channels otherwise; padding is 0.
    """
    values = resample(frame.values, grid)
    stack = np.zeros((3, grid.rows, grid.columns), np.float32)
    filled = stack[:, : grid.filled_rows, : grid.filled_columns]
    if frame.units is Units.HU:
        for channel, (centre, width) in zip(filled, HU_DISPLAY_WINDOWS, strict=True):
            channel[...] = display(values, centre, width)
    else:
        filled[...] = np.clip(values, 0.0, 1.0)
    return stack


def content(frame: Frame, grid: Grid) -> FloatArray:
    """Return a mask in the grid's shape: 1 where the frame shows something, 0 for air and padding."""
    values = resample(frame.values, grid)
    threshold = -900.0 if frame.units is Units.HU else 0.03
    mask = np.zeros((grid.rows, grid.columns), np.float32)
    mask[: grid.filled_rows, : grid.filled_columns] = values > threshold
    return mask
