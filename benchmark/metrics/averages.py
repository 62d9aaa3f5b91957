"""From figures per query to one figure; NaN marks a query that is left out (it has nothing to find)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def macro(values: FloatArray, labels: NDArray[np.integer]) -> float:
    """Return the mean over classes of the mean over each class's queries.

    Denominator: the classes that have a query that is not NaN, each counting once however many queries it
    has. NaN where there is no such class.

    Parameters
    ----------
    values : ndarray of float64, shape (Q,)
    labels : ndarray of int, shape (Q,)
        Class of each query.
    """
    means = list(per_class(values, labels).values())
    return float(np.mean(means)) if means else float("nan")


def micro(values: FloatArray) -> float:
    """Return the mean over queries; denominator: the queries that are not NaN. NaN where there is none."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def per_class(values: FloatArray, labels: NDArray[np.integer]) -> dict[int, float]:
    """Return the mean over each class's queries, by class; see :func:`macro`.

    A class whose queries are all NaN is left out.
    """
    kept = ~np.isnan(values)
    classes, which = np.unique(labels[kept], return_inverse=True)
    means = np.bincount(which, weights=values[kept]) / np.maximum(np.bincount(which), 1)
    return dict(zip(classes.tolist(), means.tolist(), strict=True))
