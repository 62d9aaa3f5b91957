"""Window geometry: which windows a frame has, and where each lies.

A window is a square of whole feature-map cells. Its id packs the index of its size and its upper left cell
into 32 bits, so that its box follows by arithmetic from the frame's grid.
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

_SIZE_SHIFT, _ROW_SHIFT, _CELL_MASK = 28, 14, (1 << 14) - 1


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


def pack_window_id(
    size: int, row: int | NDArray[np.int64], column: int | NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Pack the index of a size and upper left cells into window ids."""
    return np.asarray((size << _SIZE_SHIFT) | (np.asarray(row) << _ROW_SHIFT) | column, dtype=np.uint32)


def unpack_window_id(window_id: int) -> tuple[int, int, int]:
    """Return (index of the size, upper row, left column) of a window id."""
    return window_id >> _SIZE_SHIFT, (window_id >> _ROW_SHIFT) & _CELL_MASK, window_id & _CELL_MASK


def unpack_window_ids(
    window_ids: WindowIds,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (indices of the sizes, upper rows, left columns) of many window ids."""
    ids = window_ids.astype(np.int64)
    return ids >> _SIZE_SHIFT, (ids >> _ROW_SHIFT) & _CELL_MASK, ids & _CELL_MASK


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
    largest = int(ids.max() >> _SIZE_SHIFT)
    side = config.cells[largest]
    chosen: list[tuple[int, int, int]] = []
    for window_id in ids[ids >> _SIZE_SHIFT == largest].tolist():
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
    rows, columns : ndarray of float64, shape (3,)
        Upper left cells (fractional, possibly outside the map) along either axis, the centred one first;
        every row goes with every column.
    side : float
        Side in cells.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    side: float


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
