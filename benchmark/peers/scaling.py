"""Normalisation of the frozen features in front of the hashing peers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Standardiser:
    """Subtracts the mean of train and divides by its standard deviation, both of shape (D,)."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> Standardiser:
        """Measure features (N, D); one that does not vary is left undivided."""
        deviation = features.std(axis=0)
        deviation[deviation < _LEAST_DEVIATION] = 1
        return cls(features.mean(axis=0), deviation)

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) -> (N, D)."""
        return (features - self.mean) / self.deviation


@dataclass(frozen=True, slots=True, eq=False)
class UnitCentring:
    """Brings each row to unit length, as cosine does, and subtracts train's mean (D,) of such rows."""

    mean: NDArray[np.float32]

    @classmethod
    def of(cls, pooled: NDArray[np.float32]) -> UnitCentring:
        """Measure pooled features (N, D)."""
        return cls(_unit(pooled).mean(axis=0))

    def __call__(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) -> (N, D)."""
        return _unit(pooled) - self.mean


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def principal_axes(centred: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the principal axes of centred features, largest variance first.

    Parameters
    ----------
    centred : ndarray of float32, shape (N, D)
    count : int
        Number of axes wanted.

    Returns
    -------
    ndarray of float32, shape (D, count)
        Axes past the rank of the features are zero, and so are the coordinates along them.
    """
    rank = min(count, centred.shape[1], max(len(centred) - 1, 0))
    wide = centred.astype(np.float64)
    _, vectors = np.linalg.eigh(wide.T @ wide)
    axes = np.zeros((centred.shape[1], count), dtype=np.float32)
    axes[:, :rank] = vectors[:, ::-1][:, :rank]
    return axes
