"""Searching slices with values of bits, as the product searches frames with weighted codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.refine.material import Flags, Slice
from benchmark.refine.methods import Values, signs_of


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The slices of an archive as one query sees them.

    Parameters
    ----------
    distance : ndarray of float64, shape (F,)
    window : ndarray of int64, shape (F,)
        The window of each slice nearest to the centred one of the query, the first of those that tie.
    """

    distance: Values
    window: NDArray[np.int64]


class Archive:
    """Slices whose windows lie side by side.

    Parameters
    ----------
    slices : sequence of Slice
        At least one.
    """

    def __init__(self, slices: Sequence[Slice]) -> None:
        self.slices = slices
        # Whole numbers up to a million are exact in 32 bits.
        self._signs = signs_of(np.concatenate([one.codes for one in slices])).astype(np.float32)
        self._ends = np.cumsum([0, *(len(one.codes) for one in slices)])
        self.people = np.array([one.person for one in slices])

    def ranked(self, values: Values) -> Ranked:
        """Rank all slices by values of bits, (Q, 128)."""
        asked = values.astype(np.float32)
        costs = (np.abs(asked).sum(axis=1)[:, None] - asked @ self._signs.T) / 2
        nearest = np.minimum.reduceat(costs, self._ends[:-1], axis=1)
        window = [int(np.argmin(costs[0, a:b])) for a, b in zip(self._ends, self._ends[1:], strict=False)]
        return Ranked(nearest.mean(axis=0, dtype=np.float64), np.array(window))

    def nearest_windows(self, query: Values, slice_: int) -> Values:
        """Return the windows of a slice that are nearest to those of a query, as bits of 1 and -1."""
        own = self._signs[self._ends[slice_] : self._ends[slice_ + 1]]
        nearest: Values = own[np.argmax(query @ own.T, axis=1)].astype(np.float64)
        return nearest

    def shown(self, structure: str, ranked: Ranked) -> Flags:
        """Return the slices whose window, the box of a hit, shows a structure."""
        nowhere = np.zeros(0, np.bool_)
        return np.array(
            [
                bool(windows[at]) if len(windows := one.shows.get(structure, nowhere)) else False
                for one, at in zip(self.slices, ranked.window.tolist(), strict=True)
            ]
        )
