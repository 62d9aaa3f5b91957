"""Polygons to masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.training.data.folders.drawn import Mask

Points = NDArray[np.float64]


def fill(polygons: Sequence[Points], shape: tuple[int, int]) -> Mask:
    """Return the pixels whose centres lie inside polygons, by the even-odd rule.

    A polygon inside another is a hole in it (PS3.3 C.8.8.6), and so is one that is joined to the outer one by
    a channel of no width. A centre on an edge that is above or left of the inside counts as inside.

    Parameters
    ----------
    polygons : sequence of ndarray of float64, shape (n, 2)
        Corners as (column, row), closed by itself; (0, 0) is the centre of the first pixel.
    shape : tuple of int
        Rows and columns of the slice.
    """
    rows, columns = shape
    starts = np.concatenate([np.empty((0, 2)), *polygons])
    ends = np.concatenate([np.empty((0, 2)), *(np.roll(polygon, -1, axis=0) for polygon in polygons)])
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    # Half open, so that a corner on a row belongs to one of its two edges only.
    first = np.clip(np.ceil(low), 0, rows).astype(np.int64)
    crossed = np.clip(np.ceil(high), 0, rows).astype(np.int64) - first
    edge = np.repeat(np.arange(len(starts)), crossed)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    (x0, y0), (x1, y1) = starts[edge].T, ends[edge].T
    x = x0 + (row - y0) * (x1 - x0) / (y1 - y0)
    # A pixel is inside where a ray from it to the left crosses an odd number of edges.
    odd = np.zeros((rows, columns + 1), np.uint8)
    np.bitwise_xor.at(odd, (row, np.clip(np.ceil(x), 0, columns).astype(np.int64)), 1)
    inside: Mask = np.bitwise_xor.accumulate(odd[:, :-1], axis=1).astype(np.bool_)
    return inside
