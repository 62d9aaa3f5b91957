"""Guides: the slices of each series between which the others lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.index.hamming import Slots

EVERY = 4
"""A guide is one of so many slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Guides:
    """Which guides each frame lies between. Immutable.

    Parameters
    ----------
    slots : ndarray of int32, shape (G,)
        The frames that are guides, ascending.
    before, after : ndarray of int32, shape (F,)
        Which of the guides, from 0, each frame lies between; the same where it has but one. -1 for a frame
        that cannot be compared.
    shares : ndarray of float32, shape (F,)
        How far it lies from the first to the second, from 0 to 1.
    """

    slots: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    shares: NDArray[np.float32]


def guides_of(series: NDArray[np.uint64], along: NDArray[np.float32], counts: NDArray[np.int64]) -> Guides:
    """Choose guides: of each four slices of a series the middle one, and that of those left over.

    Parameters
    ----------
    series : ndarray of uint64, shape (F,)
        Number of each frame's series.
    along : ndarray of float32, shape (F,)
        Where it lies in its series; NaN where that is unknown, and the order of arrival counts.
    counts : ndarray of int64, shape (F,)
        Its windows: a frame without any cannot be compared.
    """
    comparable = np.flatnonzero(counts)
    order = comparable[np.lexsort((comparable, along[comparable], series[comparable]))]
    lengths = _lengths(series[order])
    places, number = np.arange(len(order)), np.repeat(np.arange(len(lengths)), lengths)
    at = places - np.repeat(np.cumsum(lengths) - lengths, lengths)
    begins = at // EVERY * EVERY
    is_guide = at == begins + np.minimum(EVERY, np.repeat(lengths, lengths) - begins) // 2
    before, after = _between(is_guide, number)
    slots = np.sort(order[is_guide])

    def by_slot(values: Slots) -> NDArray[np.int32]:
        found = np.full(len(series), -1, np.int32)
        found[order] = np.searchsorted(slots, order[values])
        return found

    shares = np.zeros(len(series), np.float32)
    shares[order] = np.where(before < after, (places - before) / np.maximum(after - before, 1), 0)
    return Guides(slots.astype(np.int32), by_slot(before), by_slot(after), shares)


def _between(is_guide: NDArray[np.bool_], series: NDArray[np.int64]) -> tuple[Slots, Slots]:
    """Return the places of the guides at or before, and at or after, each place of its series' frames.

    Before the first guide of a series, and after its last one, the other counts twice.
    """
    places, guides = np.arange(len(is_guide)), np.flatnonzero(is_guide)
    if not len(guides):
        return guides, guides
    following = np.searchsorted(guides, places)
    after = guides[following % len(guides)]
    before = np.where(is_guide, places, guides[following - 1])
    has_before = (series[before] == series) & (before <= places)
    has_after = (series[after] == series) & (after >= places)
    return np.where(has_before, before, after), np.where(has_after, after, before)


def _lengths(series: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many frames in a row are of one series."""
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1])) if len(series) else np.arange(0)
    return np.diff(np.append(begins, len(series)))
