"""Windows and frames pooled from a feature map, in numpy."""

from __future__ import annotations

import numpy as np

from hmar.image.windows import WindowConfig, lattice, lattice_cover
from hmar.model.config import PARTS
from hmar.values.codes import WindowIds
from hmar.values.frames import FloatArray
from hmar.values.window_ids import unpack_window_ids


def pool_windows(feature_map: FloatArray, row_weights: FloatArray, column_weights: FloatArray) -> FloatArray:
    """Pool windows by separable area weights.

    Parameters
    ----------
    feature_map : ndarray, shape (h, w, C)
    row_weights, column_weights : ndarray, shapes (R * 3, h) and (S * 3, w)
        As :func:`hmar.image.windows.cover` returns them for R rows and S columns of windows.

    Returns
    -------
    ndarray of float32, shape (R, 3, S, 3, C)
        Row of windows, row of parts within them, column of windows, column of parts, channel.
    """
    height, width, channels = feature_map.shape
    bands = (row_weights @ feature_map.reshape(height, -1)).reshape(-1, width, channels)  # (R * 3, w, C)
    pooled: FloatArray = np.matmul(column_weights, bands)  # (R * 3, S * 3, C)
    return pooled.reshape(len(row_weights) // PARTS, PARTS, len(column_weights) // PARTS, PARTS, channels)


def pool_lattice(feature_map: FloatArray, ids: WindowIds, config: WindowConfig) -> FloatArray:
    """Pool windows of a model's lattices.

    Parameters
    ----------
    feature_map : ndarray, shape (h, w, C)
    ids : ndarray of uint32, shape (N,)
        Sorted by size, row and column, as :func:`hmar.image.windows.kept_windows` returns them.
    config : WindowConfig

    Returns
    -------
    ndarray of float32, shape (N, 3 * 3 * C)
        Parts in order of row and column, each with all its channels.
    """
    height, width, channels = feature_map.shape
    features = np.empty((len(ids), PARTS, PARTS, channels), np.float32)
    sizes, upper, left = unpack_window_ids(ids)
    for size, (side, stride) in enumerate(zip(config.cells, config.strides, strict=True)):
        begin, end = np.searchsorted(sizes, (size, size + 1))
        if begin < end:
            rows, columns = lattice(height, side, stride), lattice(width, side, stride)
            weights = (lattice_cover(cells, side, stride, PARTS) for cells in (height, width))
            pooled = pool_windows(feature_map, *weights)
            row, column = np.searchsorted(rows, upper[begin:end]), np.searchsorted(columns, left[begin:end])
            features[begin:end] = pooled[row, :, column]
    return features.reshape(len(ids), PARTS * PARTS * channels)


def pool_frame(feature_map: FloatArray) -> FloatArray:
    """Pool a whole map (h, w, C) on 3x3 parts that may share cells: (9, C).

    The parts are those of torch's ``adaptive_avg_pool2d``.
    """
    height, width, channels = feature_map.shape
    bands = (_adaptive(height) @ feature_map.reshape(height, -1)).reshape(PARTS, width, channels)
    parts: FloatArray = np.matmul(_adaptive(width), bands)  # (3, 3, C)
    return parts.reshape(-1, channels)


def _adaptive(cells: int) -> FloatArray:
    """Return weights (3, cells): part i averages the cells from floor(i n / 3) to ceil((i + 1) n / 3)."""
    weights = np.zeros((PARTS, cells), np.float32)
    for part in range(PARTS):
        begin, end = part * cells // PARTS, -(-(part + 1) * cells // PARTS)
        weights[part, begin:end] = 1 / (end - begin)
    return weights
