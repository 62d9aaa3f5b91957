"""Batches in which every class is equally likely, however many images it has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def balanced_batches(
    labels: NDArray[np.int64], size: int, count: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Draw batches of rows with replacement: first the class, uniformly among those present, then the image.

    Parameters
    ----------
    labels : ndarray of int64, shape (N,)
        N > 0.
    size, count : int
        Rows in a batch, and batches.
    rng : numpy.random.Generator

    Yields
    ------
    ndarray of int64, shape (size,)
    """
    order = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    for _ in range(count):
        drawn = rng.integers(len(starts), size=size)
        within = rng.integers(0, counts[drawn])
        yield order[starts[drawn] + within]
