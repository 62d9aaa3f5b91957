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
    # A pixel is inside where a ray from it to the left crosses an odd number of edges.
    crossings = np.zeros((rows, columns + 1), np.int32)
    for polygon in polygons:
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            low, high = sorted((y0, y1))
            # Half open, so that a corner on a row belongs to one of its two edges only.
            crossed = np.arange(max(0, int(np.ceil(low))), min(rows, int(np.ceil(high))))
            if len(crossed):
                x = x0 + (crossed - y0) * (x1 - x0) / (y1 - y0)
                first = np.clip(np.ceil(x), 0, columns).astype(np.int64)
                np.add.at(crossings, (crossed, first), 1)
    inside: Mask = np.cumsum(crossings[:, :-1], axis=1) % 2 == 1
    return inside
