"""What typicality is judged by: summaries of a frame and of regions, by the product's functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.image.grid import Grid, channels, content, make_grid
from hmar.image.windows import QueryWindows, cell_shares, lattice, query_windows, windows_of_shares
from hmar.model.serving.model import ServedModel
from hmar.model.serving.typicality import frame_summary, region_summary
from hmar.values.frames import FloatArray, Frame
from hmar.values.geometry import Box
from hmar.values.window_ids import unpack_window_ids

REGIONS = 10
"""Regions of each size in a frame, at most."""
_SEED = 7

Cells = NDArray[np.int64]
Sides = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Summaries of a frame.

    Parameters
    ----------
    frame : ndarray of float32, shape (2 * C,)
        Of the whole frame.
    sides : ndarray of float64, shape (R,)
        Sides in cells of up to REGIONS regions of each size.
    regions : ndarray of float32, shape (R, C)
        Of the cells of each.
    """

    frame: FloatArray
    sides: Sides
    regions: FloatArray


def look(model: ServedModel, frame: Frame) -> Look:
    """Run the backbone over a frame as the product does, and summarise what it sees.

    Regions are windows of all sizes that show something, drawn with a fixed seed.
    """
    seen = _Seen(model, frame)
    return seen.look(seen.shown())


def look_within(model: ServedModel, frame: Frame, patch: Box) -> tuple[Look, Look]:
    """Summarise a frame that shows an image in a patch, in source pixels.

    Returns
    -------
    Look
        Regions are the smallest windows that lie in the patch, drawn with a fixed seed.
    Look
        The only region is the patch, as the product looks at it.
    """
    seen = _Seen(model, frame)
    windows = query_windows(patch, seen.grid, model.info.grid.stride, model.info.windows)
    whole = region_summary(seen.backbone_map, windows)
    own = Look(seen.summary, np.array([windows.side]), whole[None])
    return seen.look(_inside(model, seen.grid.to_grid(patch))), own


class _Seen:
    """A frame's map, and what is cut from it."""

    def __init__(self, model: ServedModel, frame: Frame) -> None:
        info = frame.info
        self._model = model
        self.grid: Grid = make_grid(info.rows, info.columns, info.spacing, model.info.grid, info.pixel_aspect)
        self._shares = cell_shares(content(frame, self.grid), model.info.grid.stride)
        self.backbone_map = model.map(channels(frame, self.grid))
        self.summary = frame_summary(self.backbone_map, self._shares)

    def shown(self) -> Cells:
        """Return (side, row, column) of all windows that show something, in cells."""
        windows = self._model.info.windows
        sizes, rows, columns = unpack_window_ids(windows_of_shares(self._shares, windows))
        return np.stack([np.array(windows.cells)[sizes], rows, columns], axis=1)

    def look(self, places: Cells) -> Look:
        """Summarise up to REGIONS of each size of some regions (side, row, column)."""
        random = np.random.default_rng(_SEED)
        drawn = []
        for side in self._model.info.windows.cells:
            own = np.flatnonzero(places[:, 0] == side)
            drawn.append(own[np.sort(random.permutation(len(own))[:REGIONS])])
        kept = places[np.concatenate(drawn)]
        regions = [self._region(*place) for place in kept.tolist()]
        width = self.backbone_map.shape[2]
        return Look(
            self.summary,
            kept[:, 0].astype(np.float64),
            np.array(regions, np.float32).reshape(-1, width),
        )

    def _region(self, side: int, row: int, column: int) -> FloatArray:
        rows, columns = np.array([row], np.float64), np.array([column], np.float64)
        return region_summary(self.backbone_map, QueryWindows(rows, columns, side))


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
