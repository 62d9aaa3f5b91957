"""Ids of windows: each packs the index of its size and its upper left cell into 32 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import WindowIds

_SIZE_SHIFT, _ROW_SHIFT, _CELL_MASK = 28, 14, (1 << 14) - 1
_ODD = np.uint32(1 << _ROW_SHIFT | 1)


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


def coarse(window_ids: WindowIds) -> NDArray[np.bool_]:
    """Return which windows belong to the coarse lattice: those that begin at even rows and columns.

    It is a quarter of the windows of a size that lie a cell apart, and all of those that lie two apart.
    """
    even: NDArray[np.bool_] = (window_ids & _ODD) == 0
    return even
