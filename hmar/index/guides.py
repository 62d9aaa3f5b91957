"""Guides: the slices of each series between which the others lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.index.hamming import Slots, Words, row_distances

EVERY = 4
"""A guide is one of so many slices."""
LIKE_BITS = 40
"""Global codes differ by no more bits: those of 99 of 100 slices do not, from the next guide's."""
_NO_BITS = np.zeros(2, np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Guides:
    """Which guides each frame lies between. Immutable.

    Parameters
    ----------
    slots : ndarray of int32, shape (G,)
        The frames that are guides, ascending.
    before, after : ndarray of int32, shape (F,)
        Which of the guides, from 0, each frame lies between; the same where it has but one, or looks like
        one alone. -1 for a frame that cannot be compared.
    shares : ndarray of float32, shape (F,)
        How far it lies from the first to the second, from 0 to 1.
    """

    slots: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]
    shares: NDArray[np.float32]


def guides_of(
    series: NDArray[np.uint64], along: NDArray[np.float32], counts: NDArray[np.int64], codes: Words
) -> Guides:
    """Choose guides: of each four slices of a series the middle one, and that of those left over.

    A frame that looks like none of those that it lies between is a guide, for itself alone: a series may be
    one of single images.

    Parameters
    ----------
    series : ndarray of uint64, shape (F,)
        Number of each frame's series.
    along : ndarray of float32, shape (F,)
        Where it lies in its series; NaN where that is unknown, and the order of arrival counts.
    counts : ndarray of int64, shape (F,)
        Its windows: a frame without any cannot be compared.
    codes : ndarray of uint64, shape (F, 2)
        Its global code.
    """
    comparable = np.flatnonzero(counts)
    order = comparable[np.lexsort((comparable, along[comparable], series[comparable]))]
    lengths = _lengths(series[order])
    places, number = np.arange(len(order)), np.repeat(np.arange(len(lengths)), lengths)
    at = places - np.repeat(np.cumsum(lengths) - lengths, lengths)
    begins = at // EVERY * EVERY
    is_guide = at == begins + np.minimum(EVERY, np.repeat(lengths, lengths) - begins) // 2
    before, after = _alike(*_between(is_guide, number), codes[order])
    slots = np.sort(order[is_guide | (before == places)])

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


def _alike(before: Slots, after: Slots, codes: Words) -> tuple[Slots, Slots]:
    """Return the same without guides that a frame does not look like, and itself where none is left."""
    like_before, like_after = _like(codes, before), _like(codes, after)
    alone = np.arange(len(codes))
    return (
        np.where(like_before, before, np.where(like_after, after, alone)),
        np.where(like_after, after, np.where(like_before, before, alone)),
    )


def _like(codes: Words, others: Slots) -> NDArray[np.bool_]:
    there = codes[others]
    differing = row_distances((there[:, 0] ^ codes[:, 0], there[:, 1] ^ codes[:, 1]), _NO_BITS, 128)
    like: NDArray[np.bool_] = differing <= LIKE_BITS
    return like


def _lengths(series: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many frames in a row are of one series."""
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1])) if len(series) else np.arange(0)
    return np.diff(np.append(begins, len(series)))
