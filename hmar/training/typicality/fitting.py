"""A reference fitted to summaries: their mean, their shrunk covariance, and how far out others lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hmar.model.serving.typicality import Reference
from hmar.values.frames import FloatArray

_LEAST_VARIANCE = 1e-6
"""Keeps a channel that never varies finite."""

_SHRINKAGE = 0.3
"""Shrinkage of correlations towards 0: a few hundred neighbouring slices determine them poorly."""

_BLOCKS = 5
"""Parts that a single person's summaries are cut into, each held out in turn."""

_MOST_FOLDS = 100
"""More people than this are held out in groups of whole people."""

MANY_PEOPLE = 35
"""From this many people on, the smaller margin is enough."""


class Margins(NamedTuple):
    """How much farther out than held-out summaries those of a new person may lie."""

    of_few: float
    of_many: float

    def of(self, people: int) -> float:
        """Return the margin of a reference that was fitted to so many people."""
        return self.of_many if people >= MANY_PEOPLE else self.of_few


OF_FRAMES, OF_REGIONS = Margins(1.5, 1.25), Margins(1.25, 1.1)
"""Chosen in docs/experiments/typicality-on-people.md. The tail of regions, of which there are more, is better
known."""


def fit_reference(summaries: FloatArray, people: NDArray[np.int64], margins: Margins) -> Reference:
    """Fit a reference, with the margin of so many people.

    Parameters
    ----------
    summaries : ndarray, shape (N, C)
        N at least 2.
    people : ndarray of int64, shape (N,)
        Whose each is; those of one person are held out together.
    margins : Margins
    """
    names, number = np.unique(people, return_inverse=True)
    mean, whitening = _fit(summaries)
    distances = np.concatenate(list(_held_out(summaries, _folds(number, len(names)))))
    return Reference(mean, whitening, np.sort(distances).astype(np.float32), margins.of(len(names)))


def _folds(people: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return what is held out together: each person, groups of many, parts of a single one."""
    if count == 1:
        return np.arange(len(people)) * _BLOCKS // len(people)
    return people * _MOST_FOLDS // count if count > _MOST_FOLDS else people


def _held_out(summaries: FloatArray, folds: NDArray[np.int64]) -> Iterator[FloatArray]:
    for fold in np.unique(folds):
        mean, whitening = _fit(summaries[folds != fold])
        yield np.linalg.norm((summaries[folds == fold] - mean) @ whitening, axis=1)


def _fit(summaries: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean (C,) and the whitening matrix (C, C), with shrunk correlations."""
    exact = summaries.astype(np.float64)
    mean = exact.mean(axis=0)
    centred = exact - mean
    covariance = centred.T @ centred / max(len(exact) - 1, 1)
    deviation = np.sqrt(np.diag(covariance) + _LEAST_VARIANCE)
    correlation = (1 - _SHRINKAGE) * covariance / np.outer(deviation, deviation)
    correlation += _SHRINKAGE * np.eye(len(correlation))
    variances, axes = np.linalg.eigh(correlation)
    whitening = axes / np.sqrt(variances) / deviation[:, None]
    return mean.astype(np.float32), whitening.astype(np.float32)
