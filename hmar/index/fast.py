"""The fast search: measure the frames that look near, until nothing near is found any more.

Every frame has an estimate of its distance (:mod:`hmar.index.skim`). Frames are measured exactly, those with
the least estimates first, in growing batches. The search ends where the last third of what was measured holds
few of the nearest: then the rest, whose estimates are larger still, holds fewer. No bound proves that; the
share found in the last third says what to expect. See docs/experiments/fast-search.md.
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
GroupsOf = Callable[[Slots], Groups]

FIRST_SHARE, FIRST_FRAMES, FIRST_OF_K = 0.04, 2000, 20
"""The first batch: a share of the frames, at least so many, and at least so many times k."""
GROWTH = 1.5
"""By which the number of measured frames grows with each batch."""
NEAREST = 100
"""How many of the nearest are looked at, if k is smaller: few would say little."""
LATE_SHARE = 0.02
"""A search goes on while the last third holds more than this share of the nearest."""
LEVELS_A_BIT = 16
"""Estimates are sorted in steps of a sixteenth of a bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The frames that were measured.

    Parameters
    ----------
    slots : ndarray of int64, shape (m,)
        The least estimate first.
    distances : ndarray of float64, shape (m,)
        Exact.
    share : float
        Of all frames, from 0 to 1.
    cutoff : float
        The distance of the k-th nearest, frame or group.
    late : float
        Share of the nearest, frames or groups, that were among the last third or are lacking.
    """

    slots: Slots
    distances: Distances
    share: float
    cutoff: float
    late: float

    @property
    def expected_recall(self) -> float:
        """Expected share of the nearest that were measured, where not all were.

        What is left holds half as many as were found late, and half a frame of ``NEAREST`` more.
        """
        return 1 - (self.late + 0.5 / NEAREST) / 2


def measured(
    slots: Slots, estimates: Distances, measure: Measure, k: int, groups_of: GroupsOf | None
) -> Measured:
    """Measure frames, the least estimates first, until the last third holds few of the nearest.

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
    groups_of : callable or None
        Returns the groups of slots, where the k nearest groups are looked for.
    """
    order = np.argsort(np.rint(estimates * LEVELS_A_BIT).astype(np.uint16), kind="stable")
    distances = np.empty(len(slots))
    done, size = 0, max(int(FIRST_SHARE * len(slots)), FIRST_FRAMES, FIRST_OF_K * k)
    while True:
        batch = np.sort(order[done:size])
        distances[batch] = measure(slots[batch])
        done = min(size, len(slots))
        found = _judged(slots, distances, order[:done], k, groups_of)
        if found.late <= LATE_SHARE or done == len(slots):
            return found
        size = int(GROWTH * done)


def _judged(
    slots: Slots, distances: Distances, order: NDArray[np.int64], k: int, groups_of: GroupsOf | None
) -> Measured:
    """Return what was measured so far, in that order, and how much of what is nearest came late."""
    near, by_order = slots[order], distances[order]
    last = len(order) * 2 // 3
    if groups_of is None:
        cutoff = _cutoff(by_order, k)
        nearest = by_order <= max(cutoff, _cutoff(by_order, NEAREST))
        late = float(nearest[last:].sum() / nearest.sum())
    else:
        cutoff, late = _of_groups(by_order, k, groups_of(near), last)
        nearest = by_order <= _cutoff(by_order, NEAREST)
        late = max(late, float(nearest[last:].sum() / nearest.sum()))
    return Measured(near, by_order, len(order) / len(slots), cutoff, late)


def _of_groups(distances: Distances, k: int, groups: Groups, last: int) -> tuple[float, float]:
    """Return the least distance with which k groups are within, and how many of them came late, from 0 to 1.

    A group comes with its nearest frame. Groups that are not there yet count as late.
    """
    near = np.flatnonzero(within_cutoff(distances, k, groups))
    near = near[np.argsort(distances[near], kind="stable")]
    nearest = near[first_of_each(groups[near])][:k]
    missing = k - len(nearest)
    return float(distances[nearest[-1]]), float((nearest >= last).sum() + missing) / k


def _cutoff(distances: Distances, k: int) -> float:
    """Return the k-th least distance; the largest of fewer."""
    last = min(k, len(distances)) - 1
    return float(np.partition(distances, last)[last])
