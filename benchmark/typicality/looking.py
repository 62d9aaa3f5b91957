"""What typicality is judged by: summaries of a frame, and of regions of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.image.grid import Grid, channels, content, make_grid
from hmar.image.windows import kept_windows, lattice, unpack_window_ids
from hmar.model.serving.model import ServedModel
from hmar.model.serving.typicality import summary
from hmar.values.frames import FloatArray, Frame
from hmar.values.geometry import Box

REGIONS = 20
"""Regions of a frame at most."""
_SEED = 7

Cells = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Summaries of a frame.

    Parameters
    ----------
    frame : ndarray of float32, shape (C,)
        Of the whole frame: what the product judges it by, and any region of it.
    regions : ndarray of float32, shape (R, C)
        Of the cells of each of up to REGIONS regions; these the product does not look at.
    """

    frame: FloatArray
    regions: FloatArray


def look(model: ServedModel, frame: Frame, patch: Box | None = None) -> Look:
    """Run the backbone over a frame as the product does, and summarise what it sees.

    Parameters
    ----------
    model : ServedModel
    frame : Frame
    patch : Box, optional
        In source pixels. Regions are the smallest windows that lie in it; without it, windows of all sizes
        that show something, drawn with a fixed seed.
    """
    info = frame.info
    grid = make_grid(info.rows, info.columns, info.spacing, model.info.grid, info.pixel_aspect)
    backbone_map = model.map(channels(frame, grid))
    places = _shown(model, frame, grid) if patch is None else _inside(model, grid.to_grid(patch))
    chosen = np.random.default_rng(_SEED).permutation(len(places))[:REGIONS]
    regions = [
        summary(backbone_map[row : row + side, column : column + side])
        for side, row, column in places[np.sort(chosen)].tolist()
    ]
    return Look(summary(backbone_map), np.array(regions, np.float32).reshape(-1, backbone_map.shape[2]))


def _shown(model: ServedModel, frame: Frame, grid: Grid) -> Cells:
    """Return (side, row, column) of all windows that show something, in cells."""
    windows = model.info.windows
    ids = kept_windows(content(frame, grid), grid, model.info.grid.stride, windows)
    sizes, rows, columns = unpack_window_ids(ids)
    return np.stack([np.array(windows.cells)[sizes], rows, columns], axis=1)


def _inside(model: ServedModel, patch: Box) -> Cells:
    """Return (side, row, column) of the smallest windows within a patch in grid pixels."""
    side, stride = min(model.info.windows.cells), model.info.grid.stride
    rows = _between(patch.y / stride, (patch.y + patch.height) / stride, side)
    columns = _between(patch.x / stride, (patch.x + patch.width) / stride, side)
    return np.array([(side, row, column) for row in rows for column in columns], np.int64).reshape(-1, 3)


def _between(first: float, last: float, side: int) -> list[int]:
    """Return the first cells of windows of a side between two places."""
    low, high = int(np.ceil(first)), int(np.floor(last))
    starts: list[int] = (low + lattice(high - low, side, 1)).tolist()
    return starts
