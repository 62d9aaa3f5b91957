"""Times of calls that take turns, after warm-up: both see the same drift of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from benchmark.types import Progress


def alternated(
    calls: Mapping[str, Callable[[int], object]], repeats: int, warm_up: int, what: str, progress: Progress
) -> dict[str, list[float]]:
    """Return the milliseconds of each call, round by round; each is given the number of the round."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm_up + repeats):
        turn = list(calls.items())
        for name, call in turn if number % 2 == 0 else turn[::-1]:
            begun = time.perf_counter()
            call(number)
            times[name].append(1000 * (time.perf_counter() - begun))
        progress(what, number + 1, warm_up + repeats)
    return {name: values[warm_up:] for name, values in times.items()}


def percentile(times_ms: list[float], percent: float) -> float:
    """Return a percentile, to the microsecond."""
    return round(float(np.percentile(times_ms, percent)), 3)


def ratio(times_ms: list[float], peer_ms: list[float]) -> float:
    """Return the median over the rounds of the peer's time divided by ours: above 1 ours is faster."""
    return round(float(np.median(np.array(peer_ms) / np.array(times_ms))), 2)
