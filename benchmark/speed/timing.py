"""Timing against a peer: warm-up, rounds in which both alternate, and the statistics of their times.

A machine's speed drifts (heat, other processes, page cache). Two calls that are timed one after the other in
every round see the same drift, so their ratio is stable where their milliseconds are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.types import Progress

Milliseconds = NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often things are timed.

    Parameters
    ----------
    repeats : int
        Rounds that count.
    warm_up : int
        Rounds before them that do not.
    """

    repeats: int
    warm_up: int

    @property
    def total(self) -> int:
        """Rounds run."""
        return self.repeats + self.warm_up


def interleave(
    calls: Mapping[str, Callable[[int], object]], rounds: Rounds, what: str, progress: Progress
) -> dict[str, Milliseconds]:
    """Time calls in turn, forwards in one round and backwards in the next.

    Parameters
    ----------
    calls : mapping of str to callable
        Each is called with the number of the round, from 0, warm-up included.
    rounds : Rounds
    what : str
        Shown as progress.
    progress : Progress

    Returns
    -------
    dict of str to ndarray of float64, shape (repeats,)
        Wall-clock milliseconds of each call, by round.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds.total):
        turn = list(calls.items())
        for name, call in turn if number % 2 == 0 else reversed(turn):
            begun = time.perf_counter()
            call(number)
            times[name].append(1000 * (time.perf_counter() - begun))
        progress(what, number + 1, rounds.total)
    return {name: np.array(values[rounds.warm_up :]) for name, values in times.items()}


def speed_row(
    part: str,
    name: str,
    peer: str,
    own_ms: Milliseconds,
    peer_ms: Milliseconds,
    rounds: Rounds,
    **details: object,
) -> dict[str, object]:
    """Return the row of one comparison.

    ``ratio`` is the median over the rounds of the peer's time divided by ours: above 1 ours is faster.
    ``ratio_ci95`` is its percentile bootstrap interval over the rounds.

    Parameters
    ----------
    part : str
        One of :data:`benchmark.speed.PARTS`.
    name, peer : str
        What was timed, and what it is compared with.
    own_ms, peer_ms : ndarray of float64, shape (repeats,)
        Of the same rounds.
    rounds : Rounds
    **details
        Further keys: ``setting`` (sizes, in words), ``threads``, ``quality`` (a mapping of names to values).
    """
    ratio, low, high = ratio_interval(own_ms, peer_ms)
    return {
        "protocol": "speed",
        "part": part,
        "name": name,
        "peer": peer,
        "p50_ms": _percentile(own_ms, 50),
        "p95_ms": _percentile(own_ms, 95),
        "peer_p50_ms": _percentile(peer_ms, 50),
        "peer_p95_ms": _percentile(peer_ms, 95),
        "ratio": round(ratio, 3),
        "ratio_ci95": [round(low, 3), round(high, 3)],
        "repeats": rounds.repeats,
        "warm_up": rounds.warm_up,
        **details,
    }


def ratio_interval(own_ms: Milliseconds, peer_ms: Milliseconds) -> tuple[float, float, float]:
    """Return the median of peer / own over paired rounds, and its bootstrap interval at 95 %.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, percentile intervals (ch. 13).
    """
    ratios = peer_ms / own_ms
    drawn = np.random.default_rng(0).integers(0, len(ratios), (RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(ratios[drawn], axis=1), [2.5, 97.5])
    return float(np.median(ratios)), float(low), float(high)


def percentiles(samples_ms: Sequence[float]) -> dict[str, object]:
    """Return p50_ms and p95_ms of any samples."""
    values = np.asarray(samples_ms, np.float64)
    return {"p50_ms": _percentile(values, 50), "p95_ms": _percentile(values, 95)}


def _percentile(values: Milliseconds, percent: float) -> float:
    return round(float(np.percentile(values, percent)), 4)
