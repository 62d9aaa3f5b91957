"""The k nearest of groups, each by its nearest member alone, and exactly so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Groups = NDArray[np.uint64]
_MORE = 4


def within_reach(distances: NDArray[np.float64], k: int, groups: Groups | None) -> NDArray[np.bool_]:
    """Return which candidates may be among the k nearest: every tie, and everything nearer.

    Parameters
    ----------
    distances : ndarray of float64, shape (n,)
    k : int
        From 1.
    groups : ndarray of uint64, shape (n,), or None
        Where given, k groups are looked for, not k candidates: so many of the nearest are taken, whatever
        lies between included, that k groups are among them.
    """
    taken = k
    while taken < len(distances):
        reach: NDArray[np.bool_] = distances <= np.partition(distances, taken - 1)[taken - 1]
        if groups is None or len(np.unique(groups[reach])) >= k:
            return reach
        taken = _MORE * int(np.count_nonzero(reach))
    return np.ones(len(distances), np.bool_)


def first_of_each(groups: Groups) -> NDArray[np.int64]:
    """Return the position at which each group occurs first, in order."""
    _, first = np.unique(groups, return_index=True)
    return np.sort(first)
