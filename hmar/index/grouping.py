"""The k nearest groups, each represented by its nearest member; exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Groups = NDArray[np.uint64]
_OVER_FETCH = 4


def within_cutoff(distances: NDArray[np.float64], k: int, groups: Groups | None) -> NDArray[np.bool_]:
    """Return a mask of all that may be among the k nearest, candidates or groups; ties included.

    Parameters
    ----------
    distances : ndarray of float64, shape (n,)
    k : int
        From 1.
    groups : ndarray of uint64, shape (n,), or None
        Group of each candidate. Where given, the cut-off grows until at least k groups lie within it.
    """
    taken = k
    while taken < len(distances):
        within: NDArray[np.bool_] = distances <= np.partition(distances, taken - 1)[taken - 1]
        if groups is None or len(np.unique(groups[within])) >= k:
            return within
        taken = _OVER_FETCH * int(np.count_nonzero(within))
    return np.ones(len(distances), np.bool_)


def first_of_each(groups: Groups) -> NDArray[np.int64]:
    """Return the position of the first member of each group, in order."""
    _, first = np.unique(groups, return_index=True)
    return np.sort(first)
