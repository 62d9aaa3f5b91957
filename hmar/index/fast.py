"""The fast search: estimate all distances from a few windows, then measure the frames that look near.

1. The coarse windows of the guides (:mod:`hmar.index.guides`) are compared with the query. Between guides the
   distances are interpolated: every frame has an estimate.
2. Frames are measured exactly, those with the least estimates first, in growing batches.
3. After each batch, what was measured tells how far below its estimate a distance may lie. From that follows
   how many of the k nearest are expected among the frames not measured. The search ends where these are few.

No bound proves that a frame is not among the nearest; the expected recall says how likely that is. See
docs/experiments/fast-search.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.index.grouping import Groups, first_of_each, within_cutoff
from hmar.index.hamming import Slots

Distances = NDArray[np.float64]
Measure = Callable[[Slots], Distances]

EXPECTED_RECALL = 0.995
"""A search goes on until so much of what is nearest is expected to be found."""
FIRST_SHARE, FIRST_FRAMES, FIRST_OF_K = 0.03, 2000, 20
"""The first batch: a share of the frames, at least so many, and at least so many times k."""
GROWTH = 1.5
"""By which the number of measured frames grows with each batch."""
LEVELS_A_BIT = 16
"""Estimates are sorted and counted in steps of a sixteenth of a bit."""
TAIL_SHARE = 0.02
"""Share of the residuals, the least ones, that tell how the rest of them would go on: exponentially."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What was measured of the frames that may be found.

    Parameters
    ----------
    slots : ndarray of int64, shape (m,)
    distances : ndarray of float64, shape (m,)
        Exact.
    share : float
        Of all frames.
    unmeasured : ndarray of int64, shape (L,)
        How many frames were not, by the level of their estimate.
    residuals : ndarray of float64, shape (r,)
        Exact distance less estimate of those measured last, ascending.
    """

    slots: Slots
    distances: Distances
    share: float
    unmeasured: NDArray[np.int64]
    residuals: Distances

    def expected_recall(self, k: int, groups: Groups | None) -> float:
        """Return the expected share of the k nearest, frames or groups, that were measured.

        A frame that was not counts as a group of its own.
        """
        if not self.unmeasured.any():
            return 1.0
        missed = float(self.unmeasured @ self._below(cutoff(self.distances, k, groups) - self._levels()))
        return k / (k + missed)

    def _levels(self) -> Distances:
        return np.arange(len(self.unmeasured)) / LEVELS_A_BIT

    def _below(self, residual: Distances) -> Distances:
        """Return the probability that a residual is at most as large as given ones."""
        known = self.residuals
        start = float(np.quantile(known, TAIL_SHARE))
        scale = max(float((start - known[known <= start]).mean()), 1 / LEVELS_A_BIT)
        seen = np.searchsorted(known, residual, side="right") / len(known)
        beyond = TAIL_SHARE * np.exp(np.minimum(residual - start, 0) / scale)
        return np.where(residual < start, beyond, seen)


def cutoff(distances: Distances, k: int, groups: Groups | None) -> float:
    """Return the k-th least distance, or the least with which k groups are within; the largest of fewer."""
    if len(distances) <= k:
        return float(distances.max())
    near = np.flatnonzero(within_cutoff(distances, k, groups))
    near = near[np.argsort(distances[near], kind="stable")]
    if groups is not None:
        near = near[first_of_each(groups[near])]
    return float(distances[near[min(k, len(near)) - 1]])


def measured(
    slots: Slots, estimates: Distances, measure: Measure, k: int, groups: Callable[[Slots], Groups] | None
) -> Measured:
    """Measure frames, the least estimates first, until most of the k nearest are expected to be measured.

    Parameters
    ----------
    slots : ndarray of int64, shape (n,)
        Ascending; not empty.
    estimates : ndarray of float64, shape (n,)
        Of their distances, from 0, in bits.
    measure : callable
        Returns the distances of ascending slots.
    k : int
        From 1.
    groups : callable or None
        Returns the groups of slots, where the k nearest groups are looked for.
    """
    levels = np.rint(estimates * LEVELS_A_BIT).astype(np.uint16)
    order = np.argsort(levels, kind="stable")
    unmeasured = np.bincount(levels)
    distances = np.empty(len(slots))
    done, size = 0, max(int(FIRST_SHARE * len(slots)), FIRST_FRAMES, FIRST_OF_K * k)
    while True:
        batch = np.sort(order[done:size])
        distances[batch] = measure(slots[batch])
        unmeasured -= np.bincount(levels[batch], minlength=len(unmeasured))
        residuals = np.sort(distances[batch] - levels[batch] / LEVELS_A_BIT)
        done = min(size, len(slots))
        near = np.sort(order[:done])
        found = Measured(slots[near], distances[near], done / len(slots), unmeasured, residuals)
        of_found = None if groups is None else groups(found.slots)
        if found.expected_recall(k, of_found) >= EXPECTED_RECALL:
            return found
        size = int(GROWTH * done)
