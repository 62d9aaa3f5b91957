"""Ranking as the product does: one hit a frame, by nine windows, with the box of one window.

A frame's distance is the mean over the query's nine windows of the distance to the frame's nearest window.
The hit is right or wrong by the frame's window that is nearest to the centred one of the nine; of windows
that tie, the longer code decides and then the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.distances import DistanceArray, comparer
from benchmark.types import Descriptors

Distances = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The frames of a gallery as Q queries see them.

    Parameters
    ----------
    distance : ndarray of int64 or float64, shape (Q, F)
        Sum over the nine windows, smaller is nearer; of codes an exact number of bits.
    window : ndarray of int64, shape (Q, F)
        The window of each frame that the hit's box is of, counted within the frame.
    """

    distance: Distances
    window: NDArray[np.int64]


def rank_frames(
    queries: Sequence[Descriptors],
    frames: Sequence[Descriptors],
    longer: tuple[Sequence[Descriptors], Sequence[Descriptors]] | None = None,
) -> Ranked:
    """Compare queries with frames.

    Parameters
    ----------
    queries : sequence of ndarray, each of shape (9, W)
        Packed codes or floats, the centred window first.
    frames : sequence of ndarray, each of shape (N, W)
        Windows of each frame; every frame has at least one.
    longer : tuple of two such sequences, optional
        Longer codes of the same windows, which decide between windows that tie.
    """
    starts = np.cumsum([0, *(len(frame) for frame in frames)])[:-1]
    compare = comparer(np.concatenate(list(frames)))
    decide = None if longer is None else comparer(np.concatenate(list(longer[1])))
    distance, window = [], []
    for number, query in enumerate(queries):
        apart = compare(query)
        nearest = np.minimum.reduceat(apart, starts, axis=1)  # (9, F)
        exact = np.int64 if np.issubdtype(apart.dtype, np.integer) else np.float64
        distance.append(nearest.sum(axis=0, dtype=exact))
        further = None if longer is None or decide is None else decide(longer[0][number][:1])[0]
        window.append(_first_nearest(apart[0], further, starts))
    return Ranked(np.stack(distance), np.stack(window))


def _first_nearest(
    apart: DistanceArray, further: DistanceArray | None, starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first of each frame's nearest windows, counted within the frame, (F,)."""
    counts = np.diff(starts, append=len(apart))
    candidates = np.ones(len(apart), bool)
    for values in (apart, further):
        if values is not None:
            eligible = np.where(candidates, values.astype(np.float64), np.inf)
            candidates &= eligible == np.repeat(np.minimum.reduceat(eligible, starts), counts)
    places = np.where(candidates, np.arange(len(apart)), len(apart))
    first: NDArray[np.int64] = np.minimum.reduceat(places, starts) - starts
    return first
