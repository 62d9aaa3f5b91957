"""Distances composed of Hamming distances, defined once for every index and for the searcher.

Order must not depend on rounding: the local distance is kept as an integer sum over the query's windows for
as long as possible, and the fused distance is always these operations in this order, in float64, whether
on one number or on an array. IEEE 754 then gives every adapter the same bits, and the same order.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])


def local_distance(distance_sum: int, query_windows: int, unit: float = 1.0) -> float:
    """Return the mean over the query's windows of the distance to a frame's nearest window, in bits.

    ``unit`` is what a bit of mean weight counts in the sum.
    """
    return distance_sum / (query_windows * unit)


def fused_distance(gate: tuple[float, float], global_distance: Number, local_distance: Number) -> Number:
    """Return the gate-weighted sum of both experts' distances, in bits.

    Parameters
    ----------
    gate : tuple of float
        The query's router weights (global, local).
    global_distance, local_distance : float or ndarray of float64
        Of frames that have windows; the fused distance of one without is its global distance.
    """
    return gate[0] * global_distance + gate[1] * local_distance
