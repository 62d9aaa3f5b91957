"""The median by which a bit halves what it was measured on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.values.frames import FloatArray

_ROUNDING = 1e-9
"""Tolerance of a half: shares of people are no exact binary fractions."""


def weighted_median(values: FloatArray, weights: NDArray[np.float64]) -> FloatArray:
    """Return the weighted median of each column.

    Parameters
    ----------
    values : ndarray of float32, shape (N, B)
        N at least 1.
    weights : ndarray of float64, shape (N,)
        Above 0.

    Returns
    -------
    ndarray of float32, shape (B,)
        The midpoint of the lower and the upper median: the smallest value up to which lies half of the
        weight at least, and the smallest up to which lies more. Where these differ, the median halves the
        weight exactly. Values that equal it, as many integers may, count as below: their bit is 0.
    """
    order = np.argsort(values, axis=0)
    ascending = np.take_along_axis(values, order, axis=0)
    share = np.cumsum(weights[order], axis=0) / weights.sum()  # (N, B)
    share[-1] = 2.0  # more than a half, whatever the rounding
    columns = np.arange(values.shape[1])
    lower = ascending[(share < 0.5 - _ROUNDING).sum(axis=0), columns]
    upper = ascending[(share <= 0.5 + _ROUNDING).sum(axis=0), columns]
    middle: FloatArray = ((lower.astype(np.float64) + upper) / 2).astype(np.float32)
    return middle
