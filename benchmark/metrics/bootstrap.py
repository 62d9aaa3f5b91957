"""Bootstrap intervals: how far a macro mean would move if other patients were queried.

``scipy.stats.bootstrap`` is not used because it resamples observations and not groups of them; given the
groups as observations it would draw them, but the macro mean of each draw would still have to be written
here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.averages import macro
from hmar.errors import ParameterError

FloatArray = NDArray[np.float64]
Labels = NDArray[np.integer]

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A macro mean over all queries and its 95 % interval; with fewer than two groups the bounds are NaN."""

    mean: float
    low: float
    high: float


def bootstrap(
    values: FloatArray, labels: Labels, groups: Labels, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Return the interval of a macro mean by resampling groups of queries with replacement.

    Queries of one patient are not independent, so whole groups are drawn (the cluster bootstrap: Davison &
    Hinkley, Bootstrap Methods and their Application, 1997, section 3.8), as many as there are. In each
    resample the mean of each class is taken over its drawn queries, and the macro mean over the classes
    drawn: a class that is absent from a resample is left out of that resample's mean. The bounds are
    percentiles. They say nothing of the spread between training seeds; report that beside them.

    Parameters
    ----------
    values : ndarray of float64, shape (Q,)
        One figure a query, say its average precision; NaN (R = 0) is left out.
    labels : ndarray of int, shape (Q,)
        Class of each query.
    groups : ndarray of int, shape (Q,)
        Patient, or stand-in, of each query; a group may hold several classes.
    resamples : int
        At least 1.
    seed : int
        Equal seeds give equal intervals.

    Raises
    ------
    ParameterError
        If lengths differ or ``resamples`` is below 1.
    """
    if not len(values) == len(labels) == len(groups):
        raise ParameterError(
            f"{len(values)} values, {len(labels)} labels and {len(groups)} groups were given.",
            "Give one of each for every query.",
        )
    if resamples < 1:
        raise ParameterError(f"{resamples} resamples were asked for.", "Ask for at least 1.")
    mean = macro(values, labels)
    sums, counts = _tables(values, labels, groups)
    if len(sums) < 2:
        return Interval(mean, float("nan"), float("nan"))
    drawn = _draws(len(sums), resamples, np.random.default_rng(seed))
    low, high = np.percentile(_macro_means(drawn @ sums, drawn @ counts), _PERCENTILES)
    return Interval(mean, float(low), float(high))


def paired_bootstrap(
    a: FloatArray, b: FloatArray, labels: Labels, groups: Labels, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Return the interval of macro(a) - macro(b), both taken over the same resamples of groups.

    An interval that leaves out 0 says that the peers differ on queries like these. A query that is NaN in
    either is left out of both; for the rest see :func:`bootstrap`.

    Parameters
    ----------
    a, b : ndarray of float64, shape (Q,)
        Figures of two peers for the same queries, in the same order.
    labels, groups, resamples, seed
        As in :func:`bootstrap`.
    """
    if len(a) != len(b):
        raise ParameterError(f"{len(a)} and {len(b)} values cannot be paired.", "Compare the same queries.")
    # Over one set of queries the macro mean is linear: means may be subtracted query by query.
    return bootstrap(a - b, labels, groups, resamples, seed)


def bootstrap_means(values: FloatArray, resamples: int = 1000, seed: int = 0) -> Interval:
    """Return the interval of a mean over units that are themselves the classes, by resampling the units.

    For figures such as the region protocol's, where the structures asked for are what was sampled: one that
    is drawn twice counts twice, which it would not in :func:`bootstrap` by classes. Each part (a direction)
    is averaged over its drawn units, and the parts count the same; units are drawn for all parts together.

    Parameters
    ----------
    values : ndarray of float64, shape (S, D)
        One figure of each unit in each part; NaN where a part lacks the unit.
    resamples : int
        At least 1.
    seed : int
        Equal seeds give equal intervals.

    Notes
    -----
    The percentile bootstrap: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    if resamples < 1:
        raise ParameterError(f"{resamples} resamples were asked for.", "Ask for at least 1.")
    present = ~np.isnan(values)
    there = present.any(axis=1)
    values, present = np.where(present, values, 0)[there], present[there].astype(np.float64)
    mean = _mean_of_parts(np.ones((1, len(values))), values, present)[0] if len(values) else float("nan")
    if len(values) < 2:
        return Interval(float(mean), float("nan"), float("nan"))
    drawn = _draws(len(values), resamples, np.random.default_rng(seed))
    low, high = np.percentile(_mean_of_parts(drawn, values, present), _PERCENTILES)
    return Interval(float(mean), float(low), float(high))


def _mean_of_parts(drawn: FloatArray, values: FloatArray, present: FloatArray) -> FloatArray:
    """Return the mean over the parts that have a drawn unit, of their means over those, (resamples,)."""
    return _macro_means(drawn @ values, drawn @ present)


def _tables(values: FloatArray, labels: Labels, groups: Labels) -> tuple[FloatArray, FloatArray]:
    """Return the sums and the counts of queries by group and class, (groups, classes)."""
    kept = ~np.isnan(values)
    classes, column = np.unique(labels[kept], return_inverse=True)
    found, row = np.unique(groups[kept], return_inverse=True)
    shape = (len(found), len(classes))
    cell = row * len(classes) + column
    size = len(found) * len(classes)
    sums = np.bincount(cell, weights=values[kept], minlength=size).astype(np.float64)
    counts = np.bincount(cell, minlength=size).astype(np.float64)
    return sums.reshape(shape), counts.reshape(shape)


def _draws(groups: int, resamples: int, random: np.random.Generator) -> FloatArray:
    """Return how often each resample drew each group, (resamples, groups)."""
    drawn = random.integers(groups, size=(resamples, groups)) + np.arange(resamples)[:, None] * groups
    return (
        np.bincount(drawn.ravel(), minlength=resamples * groups).astype(np.float64).reshape(resamples, groups)
    )


def _macro_means(sums: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the mean over the classes present of each resample, (resamples,)."""
    present = counts > 0
    means = np.where(present, sums / np.where(present, counts, 1), 0)
    total: FloatArray = means.sum(axis=1) / present.sum(axis=1)
    return total
