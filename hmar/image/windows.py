"""Window geometry: which windows a frame has, and where each lies.

A window is a square of whole feature-map cells. Its id tells its size and its upper left cell, so that its
box follows by arithmetic from the frame's grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hmar.image.grid import Grid
from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray
from hmar.values.geometry import Box
from hmar.values.outline import Outline, Region
from hmar.values.window_ids import pack_window_id, unpack_window_id, unpack_window_ids


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """The windows of a model.

    Parameters
    ----------
    cells : tuple of int
        Side of each window size in feature-map cells, smallest first.
    strides : tuple of int
        Distance between neighbours of each size in cells; at most half the side.
    min_content : float
        A window showing less than this share of anything but air is dropped.
    """

    cells: tuple[int, ...] = (2, 4, 6)
    strides: tuple[int, ...] = (1, 1, 2)
    min_content: float = 0.3


def lattice(map_cells: int, side: int, stride: int) -> NDArray[np.int64]:
    """Return the first cells of the windows along one axis; the last window ends at the map's end."""
    if map_cells < side:
        return np.empty(0, np.int64)
    starts = np.arange(0, map_cells - side + 1, stride)
    last = map_cells - side
    return starts if starts[-1] == last else np.append(starts, last)


def cover(
    starts: NDArray[np.float64] | NDArray[np.int64], side: float, parts: int, map_cells: int
) -> FloatArray:
    """Return pooling weights along one axis.

    Parameters
    ----------
    starts : ndarray, shape (N,)
        First cell of each window, possibly fractional or outside the map.
    side : float
        Side of the windows in cells.
    parts : int
        Number of equal parts that each window is pooled into.
    map_cells : int
        Length of the feature map.

    Returns
    -------
    ndarray of float32, shape (N * parts, map_cells)
        Share of each map cell in each part; a part's weights sum to 1, or to 0 if it lies outside.
    """
    edges = np.asarray(starts, np.float64)[:, None] + side * np.arange(parts + 1) / parts
    low, high = edges[:, :-1].reshape(-1, 1), edges[:, 1:].reshape(-1, 1)
    cell = np.arange(map_cells)
    overlap = np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0.0, None)
    total = overlap.sum(axis=1, keepdims=True)
    share = overlap / np.where(total > 1e-9, total, 1.0)
    return np.asarray(share, np.float32)


@lru_cache(maxsize=256)
def lattice_cover(map_cells: int, side: int, stride: int, parts: int) -> FloatArray:
    """Return the pooling weights of a lattice's windows along one axis, see :func:`cover`; read only."""
    weights = cover(lattice(map_cells, side, stride), side, parts, map_cells)
    weights.flags.writeable = False
    return weights


def cell_shares(mask: FloatArray, stride_px: int) -> FloatArray:
    """Return the mean of a mask (rows, columns) in each cell (h, w) of so many pixels a side."""
    rows, columns = mask.shape
    blocks = mask.reshape(rows // stride_px, stride_px, columns // stride_px, stride_px)
    shares: FloatArray = blocks.mean(axis=(1, 3))
    return shares


def kept_windows(mask: FloatArray, stride_px: int, config: WindowConfig) -> WindowIds:
    """Return the ids of the windows of a frame that show something, see :func:`windows_of_shares`.

    Parameters
    ----------
    mask : ndarray of float32, shape (grid.rows, grid.columns)
        1 where the frame shows something, see :func:`hmar.image.grid.content`.
    stride_px : int
        Grid pixels per cell.
    config : WindowConfig
    """
    return windows_of_shares(cell_shares(mask, stride_px), config)


def windows_of_shares(shares: FloatArray, config: WindowConfig) -> WindowIds:
    """Return the ids of the windows that show something.

    Parameters
    ----------
    shares : ndarray of float32, shape (h, w)
        The share of each cell that does, as :func:`cell_shares` returns it.
    config : WindowConfig
        The model's windows.

    Returns
    -------
    ndarray of uint32, shape (W,)
        In order of size, row, column.
    """
    kept = []
    for size, (side, stride) in enumerate(zip(config.cells, config.strides, strict=True)):
        rows, columns = (lattice(cells, side, stride) for cells in shares.shape)
        down, across = (lattice_cover(cells, side, stride, 1) for cells in shares.shape)
        row, column = np.nonzero(down @ shares @ across.T >= config.min_content)
        kept.append(pack_window_id(size, rows[row], columns[column]))
    return np.concatenate(kept)


def window_box(
    window_id: int, grid: Grid, rows: int, columns: int, stride_px: int, config: WindowConfig
) -> Box:
    """Return the box of a window in source pixels, clipped to the frame of ``rows`` x ``columns``."""
    size, row, column = unpack_window_id(window_id)
    side = config.cells[size] * stride_px
    box = grid.to_source(Box(column * stride_px, row * stride_px, side, side))
    right, bottom = min(box.x + box.width, columns), min(box.y + box.height, rows)
    return Box(box.x, box.y, right - box.x, bottom - box.y)


def spread_windows(ids: WindowIds, config: WindowConfig) -> WindowIds:
    """Return windows that stand for a whole frame: those of its largest size that do not overlap one another.

    They are taken greedily in order of row and column; a frame without windows of the largest size gives
    those of the largest size it has.
    """
    if not len(ids):
        return ids
    sizes, _, _ = unpack_window_ids(ids)
    largest = int(sizes.max())
    side = config.cells[largest]
    chosen: list[tuple[int, int, int]] = []
    for window_id in ids[sizes == largest].tolist():
        _, row, column = unpack_window_id(window_id)
        if all(abs(row - r) >= side or abs(column - c) >= side for r, c, _ in chosen):
            chosen.append((row, column, window_id))
    return np.array([window_id for _, _, window_id in chosen], np.uint32)


NEIGHBOUR_OFFSETS = (0.0, -1 / 3, 1 / 3)
"""Offsets, in sides, of the windows that stand for a region along either axis: its own and its neighbours."""

LEAST_SHARE = 0.8
"""Least side of a query's windows, as a share of the size that they are compared with."""


@dataclass(frozen=True, slots=True)
class QueryWindows:
    """The windows that stand for a region: one centred on it, and its eight neighbours.

    Parameters
    ----------
    rows, columns : ndarray of float64, shape (R,) and (C,)
        Upper left cells (fractional, possibly outside the map) along either axis, those of the first window
        first.
    side : float
        Side in cells.
    chosen : ndarray of int64, shape (9,), or None
        Which windows stand for the region: row x C + column. None if every row goes with every column, three
        of each.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    side: float
    chosen: NDArray[np.int64] | None = None

    @property
    def corners(self) -> NDArray[np.float64]:
        """Upper left cells (row, column) of each window, shape (9, 2)."""
        rows, columns = np.meshgrid(self.rows, self.columns, indexing="ij")
        every = np.stack([rows.ravel(), columns.ravel()], axis=1)
        return every if self.chosen is None else every[self.chosen]


def nearest_side(extent: float, sizes: Sequence[int]) -> int:
    """Return the size that is nearest, in ratio, to an extent above 0."""
    return min(sizes, key=lambda size: float(abs(np.log(extent / size))))


def query_side(extent: float, sizes: Sequence[int], least_share: float = LEAST_SHARE) -> float:
    """Return the side of the windows that stand for a region, in cells like all else here.

    It is that of the region, but neither larger than the archive's size nearest to it in ratio nor smaller
    than a share of that: a small lesion then fills its windows more, and a code still resembles those of the
    archive.

    Parameters
    ----------
    extent : float
        The region's longer side.
    sizes : sequence of int
        Sides of the archive's windows.
    least_share : float
        Over 0, up to 1; 1 gives the archive's sizes alone.
    """
    nearest = nearest_side(extent, sizes)
    return float(np.clip(extent, least_share * nearest, nearest))


def query_windows(
    region: Box, grid: Grid, stride_px: int, config: WindowConfig, *, least_share: float = LEAST_SHARE
) -> QueryWindows:
    """Return the windows of a region; :func:`query_side` says how large they are."""
    on_grid = grid.to_grid(region)
    extent = max(on_grid.width, on_grid.height) / stride_px
    side = query_side(extent, config.cells, least_share)
    x, y = on_grid.centre
    offsets = side * np.array(NEIGHBOUR_OFFSETS)
    return QueryWindows(y / stride_px - side / 2 + offsets, x / stride_px - side / 2 + offsets, side)


_STEP_SAMPLES = 8
"""Points along a third of a window's side at which an outline is looked at."""
_SIDE_STEPS = len(NEIGHBOUR_OFFSETS)
"""Neighbours lie a third of a side apart."""


def outline_windows(
    outline: Outline, grid: Grid, stride_px: int, config: WindowConfig, *, least_share: float = LEAST_SHARE
) -> QueryWindows:
    """Return the windows of an outline: as large as those of its box, and the nine that show most of it.

    They are chosen among windows a third of a side apart, one of which is centred on the outline's centre of
    mass. Of windows that show equally much, those nearer to that centre are taken. The first shows most.
    """
    cells = outline.scaled(grid.scale_column / stride_px, grid.scale_row / stride_px)
    box, (x, y) = cells.box, cells.centre
    side = query_side(max(box.width, box.height), config.cells, least_share)
    step = side / _SIDE_STEPS
    reach = 1 + int(max(x - box.x, box.x + box.width - x, y - box.y, box.y + box.height - y) / step)
    offsets = np.arange(-reach, reach + 1)
    shown = _enclosed(cells, (x, y), step, reach)
    from_centre = offsets[:, None] ** 2 + offsets**2
    order = np.lexsort((from_centre.ravel(), -shown.ravel()))[: len(NEIGHBOUR_OFFSETS) ** 2]
    row, column = np.divmod(order, len(offsets))
    rows, columns = _in_order(row), _in_order(column)
    up, left = y - side / 2, x - side / 2
    return QueryWindows(
        np.asarray(up + step * offsets[rows], np.float64),
        np.asarray(left + step * offsets[columns], np.float64),
        side,
        _places(row, rows) * len(columns) + _places(column, columns),
    )


def _in_order(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each index once, in the order in which they first occur."""
    return np.array(list(dict.fromkeys(indices.tolist())))


def _places(indices: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each index is among known ones."""
    places: NDArray[np.int64] = np.argmax(indices[:, None] == known, axis=1)
    return places


def _enclosed(outline: Outline, centre: tuple[float, float], step: float, reach: int) -> NDArray[np.int64]:
    """Return how many points of each window around a centre are enclosed, (2 reach + 1) squared."""
    blocks = 2 * reach + _SIDE_STEPS
    places = step * ((np.arange(blocks * _STEP_SAMPLES) + 0.5) / _STEP_SAMPLES - blocks / 2)
    inside = outline.encloses(centre[0] + places, centre[1] + places)
    by_block = inside.reshape(blocks, _STEP_SAMPLES, blocks, _STEP_SAMPLES).sum(axis=(1, 3), dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(by_block, (_SIDE_STEPS, _SIDE_STEPS))
    counts: NDArray[np.int64] = windows.sum(axis=(2, 3))
    return counts


def region_windows(
    region: Region, grid: Grid, stride_px: int, config: WindowConfig, *, least_share: float = LEAST_SHARE
) -> QueryWindows:
    """Return the windows that stand for a box or an outline."""
    if isinstance(region, Outline):
        return outline_windows(region, grid, stride_px, config, least_share=least_share)
    return query_windows(region, grid, stride_px, config, least_share=least_share)
