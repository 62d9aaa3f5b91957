"""Guides: the slices of each series by which the distances of those between them are estimated.

The sum of a frame over a query's windows changes slowly from slice to slice. Every fourth slice of a series
is a guide; the others lie between two guides, and their sums are interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hmar.index.hamming import Slots

EVERY = 4
"""A guide is one of so many slices."""
GUIDE_ARRAYS = {"guides_before": ("<i4", 1), "guides_after": ("<i4", 1), "guide_shares": ("<f4", 1)}
"""Name of every array of guides with its dtype and number of axes."""


class Between(NamedTuple):
    """Which guides some frames lie between: slots, shape (n,) each, and the share, 0 to 1, of the second."""

    before: Slots
    after: Slots
    share: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Guides:
    """The guides of the first frames of a gallery; every later frame is its own. Immutable.

    Parameters
    ----------
    before, after : ndarray of int32, shape (F,)
        Slots of the guides that each frame lies between; both the same where it has but one.
    shares : ndarray of float32, shape (F,)
        How far it lies from the first to the second, from 0 to 1.
    """

    before: NDArray[np.int32]
    after: NDArray[np.int32]
    shares: NDArray[np.float32]

    @classmethod
    def none(cls) -> Self:
        """Return the guides of no frames: each is its own."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))

    @classmethod
    def of(cls, series: NDArray[np.uint64], along: NDArray[np.float32], counts: NDArray[np.int64]) -> Self:
        """Choose guides.

        Parameters
        ----------
        series : ndarray of uint64, shape (F,)
            Number of each frame's series.
        along : ndarray of float32, shape (F,)
            Where it lies in its series; NaN where that is unknown, and the order of arrival counts.
        counts : ndarray of int64, shape (F,)
            Its windows: a frame without any is no guide, and has none but itself.
        """
        frames = np.arange(len(series), dtype=np.int32)
        guides = cls(frames.copy(), frames.copy(), np.zeros(len(series), np.float32))
        comparable = np.flatnonzero(counts)
        if len(comparable):
            order = comparable[np.lexsort((comparable, along[comparable], series[comparable]))]
            guides._place(order, _lengths(series[order]))
        return guides

    def _place(self, order: Slots, lengths: NDArray[np.int64]) -> None:
        """Set the guides of frames that lie series after series, each in its order.

        The middle one of each four is a guide, and the middle one of what is left over at the end.
        """
        places = np.arange(len(order))
        series = np.repeat(np.arange(len(lengths)), lengths)
        at = places - np.repeat(np.cumsum(lengths) - lengths, lengths)
        begins = at // EVERY * EVERY
        is_guide = at == begins + np.minimum(EVERY, np.repeat(lengths, lengths) - begins) // 2
        chosen = np.flatnonzero(is_guide)
        following = np.searchsorted(chosen, places)
        before, after = chosen[following - ~is_guide], chosen[following % len(chosen)]
        # Before the first guide of a series, and after its last one, there is no other.
        before = np.where((series[before] == series) & (before <= places), before, after)
        after = np.where((series[after] == series) & (after >= places), after, before)
        self.before[order], self.after[order] = order[before], order[after]
        self.shares[order] = (places - before) / np.maximum(after - before, 1)
        self.shares[order[before == after]] = 0

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that they are made of, as in ``GUIDE_ARRAYS``."""
        return {"guides_before": self.before, "guides_after": self.after, "guide_shares": self.shares}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the guides that arrays tell of."""
        return cls(*(arrays[name] for name in GUIDE_ARRAYS))

    def between(self, slots: Slots) -> Between:
        """Return which guides some slots, ascending, lie between."""
        known = int(np.searchsorted(slots, len(self.before)))
        early, late = slots[:known], slots[known:]
        return Between(
            np.concatenate([self.before[early], late]),
            np.concatenate([self.after[early], late]),
            np.concatenate([self.shares[early], np.zeros(len(late), np.float32)]),
        )


def _lengths(series: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many frames in a row are of one series."""
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    return np.diff(np.append(begins, len(series)))
