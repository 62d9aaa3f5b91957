"""Rankings with ties: what a random order within equal distances gives on average, in closed form.

The order of items at one distance is an accident of storage; on codes it alone moves mAP@100 by up to 0.4. So
every figure here is the expectation over all orders within equal distances (McSherry & Najork, ECIR 2008).
A ranking is kept as counts per distance: with n items and p relevant ones at a distance, N items and P
relevant ones nearer, rank N + j of the group holds a relevant item with probability p / n, and then
P + 1 + (j - 1) (p - 1) / (n - 1) relevant items are expected up to it.

Neither scikit-learn nor ranx is used because neither takes this expectation: ``average_precision_score``
counts all items at one distance as one step and knows no cut, and ranx ranks them as its sort happens to
leave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.distances import DistanceArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class TieGroups:
    """The rankings of Q queries as counts at V distances, nearest first; a distance may hold nothing.

    Parameters
    ----------
    items, relevant : ndarray of int64, shape (Q, V)
        All gallery items, and the relevant among them, at each distance. Neighbouring distances without a
        relevant item may be counted as one, and those behind the last relevant item not at all.
    """

    items: IntArray
    relevant: IntArray

    @property
    def total_relevant(self) -> IntArray:
        """R, the relevant items of each query in the whole gallery, (Q,)."""
        total: IntArray = self.relevant.sum(axis=1)
        return total


def tie_groups(
    distance: DistanceArray, relevant: NDArray[np.bool_], exclude: NDArray[np.bool_] | None = None
) -> TieGroups:
    """Count the items at each distance.

    Parameters
    ----------
    distance : ndarray, shape (Q, G)
        Integers are counted by value; of floats, those exactly equal are one group.
    relevant : ndarray of bool, shape (Q, G)
    exclude : ndarray of bool, shape (Q, G), optional
        Items that are not in this query's gallery.
    """
    if np.issubdtype(distance.dtype, np.integer):
        return _by_value(distance, relevant, exclude)
    kept = [slice(None)] * len(distance) if exclude is None else ~exclude
    return _side_by_side(
        [_by_order(row[keep], good[keep]) for row, good, keep in zip(distance, relevant, kept, strict=True)]
    )


def _by_value(
    distance: DistanceArray, relevant: NDArray[np.bool_], exclude: NDArray[np.bool_] | None
) -> TieGroups:
    """Count irrelevant (0), relevant (1) and excluded (2) items by query and distance."""
    rows, values = len(distance), int(distance.max(initial=0)) + 1
    key = relevant.astype(np.int64)
    if exclude is not None:
        key[exclude] = 2
    key *= values
    key += distance.astype(np.int64)
    key += np.arange(rows)[:, None] * (3 * values)
    counts = np.bincount(key.ravel(), minlength=rows * 3 * values).reshape(rows, 3, values)
    return TieGroups(counts[:, 0] + counts[:, 1], counts[:, 1])


def _by_order(distance: DistanceArray, relevant: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Count the items of one query between, and at, the distances at which relevant items lie."""
    ordered = np.sort(distance)
    values, hits = np.unique(distance[relevant], return_counts=True)
    ends = np.empty(2 * len(values), np.int64)
    ends[0::2] = np.searchsorted(ordered, values, "left")
    ends[1::2] = np.searchsorted(ordered, values, "right")
    return np.diff(ends, prepend=0), np.stack([np.zeros_like(hits), hits], axis=1).ravel()


def _side_by_side(counts: Sequence[tuple[IntArray, IntArray]]) -> TieGroups:
    longest = max((len(items) for items, _ in counts), default=0)
    groups = TieGroups(*np.zeros((2, len(counts), longest), np.int64))
    for row, (items, relevant) in enumerate(counts):
        groups.items[row, : len(items)] = items
        groups.relevant[row, : len(relevant)] = relevant
    return groups


def average_precision(groups: TieGroups, cut: int | None = None) -> FloatArray:
    """Return the expected average precision of each query.

    Parameters
    ----------
    groups : TieGroups
    cut : int, optional
        Stop at this rank; all ranks where None.

    Returns
    -------
    ndarray of float64, shape (Q,)
        Denominator: R over all ranks, min(cut, R) up to a cut. Ties: expectation. NaN where R = 0.
    """
    items, relevant = groups.items, groups.relevant
    nearer, found = _before(items), _before(relevant)
    seen = items if cut is None else np.clip(cut - nearer, 0, items)
    total = _precision_sum(nearer, found, items, relevant, seen, _harmonic(items)).sum(axis=1)
    largest = groups.total_relevant
    return _ratio(total, largest if cut is None else np.minimum(cut, largest))


def hits_found_precision(groups: TieGroups, cut: int) -> FloatArray:
    """Return the expected AP@cut of each query when it is divided by the hits found up to the cut.

    This is what the published code of deep hashing computes, and ACIR's (arXiv 2503.09370) mAP@100. It is too
    optimistic: a query with one hit, at rank 1, scores 1 however many it missed.

    Returns
    -------
    ndarray of float64, shape (Q,)
        Denominator: the relevant items at ranks up to the cut; 0 where there are none, NaN where R = 0. Ties:
        expectation of the ratio, over the hypergeometric number of hits in the group that the cut divides.
    """
    items, relevant = groups.items, groups.relevant
    nearer, found, harmonic = _before(items), _before(relevant), _harmonic(items)
    whole = nearer + items <= cut
    divided = (nearer < cut) & ~whole
    sums = _precision_sum(nearer, found, items, relevant, items, harmonic)
    done, hits_done = _kept(sums, whole), _kept(relevant, whole)
    group_items, group_relevant = _kept(items, divided), _kept(relevant, divided)
    start = _kept(nearer, divided)
    drawn = np.where(group_items > 0, cut - start, 0)
    hits = np.arange(min(cut, int(items.sum(axis=1).max(initial=0))) + 1)[None]
    chance = _hypergeometric(hits, group_items, group_relevant, drawn)
    partial = _precision_sum(start, hits_done, drawn, hits, drawn, harmonic)
    expected = (chance * (done + partial) / np.maximum(hits_done + hits, 1)).sum(axis=1)
    return np.where(groups.total_relevant > 0, expected, np.nan)


def expected_hits(groups: TieGroups, ranks: IntArray) -> FloatArray:
    """Return how many relevant items are expected up to each rank, (Q, K).

    Within a group of ties the expectation (the hypergeometric mean) grows evenly from rank to rank.
    """
    items = np.pad(np.cumsum(groups.items, axis=1), ((0, 0), (1, 0)))
    hits = np.pad(np.cumsum(groups.relevant, axis=1), ((0, 0), (1, 0)))
    expected = np.empty((len(items), len(ranks)))
    for row, (positions, counts) in enumerate(zip(items, hits, strict=True)):
        expected[row] = np.interp(ranks, positions, counts)
    return expected


def expected_ap(
    distance_row: NDArray[np.number], relevant_row: NDArray[np.bool_], cut: int | None = None
) -> float:
    """Return the expected average precision of one query, summed rank by rank.

    Parameters
    ----------
    distance_row : ndarray, shape (G,)
        Distances to the gallery, smaller is nearer, in any order.
    relevant_row : ndarray of bool, shape (G,)
    cut : int, optional
        Stop at this rank; all ranks where None.

    Returns
    -------
    float
        Denominator: R over all ranks, min(cut, R) up to a cut. Ties: expectation over all orders within equal
        distances (McSherry & Najork, ECIR 2008). NaN where R = 0.
    """
    total = int(np.count_nonzero(relevant_row))
    if total == 0:
        return float("nan")
    _, group, counts = np.unique(distance_row, return_inverse=True, return_counts=True)
    hits = np.bincount(group, weights=relevant_row, minlength=len(counts))
    items, relevant, nearer, found = (
        np.repeat(values, counts)
        for values in (counts, hits, np.cumsum(counts) - counts, np.cumsum(hits) - hits)
    )
    rank = np.arange(1, len(items) + 1)
    until = found + 1 + (rank - nearer - 1) * (relevant - 1) / np.maximum(items - 1, 1)
    return float((relevant / items * until / rank)[:cut].sum() / min(total, cut or total))


def _precision_sum(
    nearer: IntArray,
    found: IntArray,
    items: IntArray,
    relevant: IntArray,
    seen: IntArray,
    harmonic: FloatArray,
) -> FloatArray:
    """Sum (p / n) [P + 1 + (j - 1) (p - 1) / (n - 1)] / (N + j) over j = 1 .. seen, by harmonic numbers."""
    slope = (relevant - 1) / np.maximum(items - 1, 1)
    level = found + 1 - slope * (nearer + 1)
    summed = level * (harmonic[nearer + seen] - harmonic[nearer]) + slope * seen
    total: FloatArray = relevant / np.maximum(items, 1) * summed
    return total


def _kept(values: NDArray[Number], keep: NDArray[np.bool_]) -> NDArray[Number]:
    """Sum the kept values of each query, (Q, 1)."""
    total: NDArray[Number] = np.where(keep, values, 0).sum(axis=1, keepdims=True)
    return total


def _before(counts: IntArray) -> IntArray:
    before: IntArray = np.cumsum(counts, axis=1) - counts
    return before


def _harmonic(items: IntArray) -> FloatArray:
    """Return H(0), H(1), ... up to the longest ranking."""
    longest = int(items.sum(axis=1).max(initial=0))
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, longest + 1))])


def _hypergeometric(hits: IntArray, items: IntArray, relevant: IntArray, drawn: IntArray) -> FloatArray:
    """Return the chance of so many hits among items drawn without replacement."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, int(items.max(initial=0)) + 1)))])

    def choose(total: IntArray, part: IntArray) -> FloatArray:
        kept = np.clip(part, 0, total)
        ways: FloatArray = logs[total] - logs[kept] - logs[total - kept]
        return ways

    possible = (hits <= relevant) & (hits <= drawn) & (drawn - hits <= items - relevant)
    chance = np.exp(choose(relevant, hits) + choose(items - relevant, drawn - hits) - choose(items, drawn))
    return np.where(possible, chance, 0.0)


def _ratio(total: FloatArray, denominator: IntArray) -> FloatArray:
    return np.where(denominator > 0, total / np.maximum(denominator, 1), np.nan)
