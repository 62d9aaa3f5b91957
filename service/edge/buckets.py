"""Token buckets: so many a minute, and a minute's worth at once."""

from __future__ import annotations

from collections.abc import Callable

from service.edge.remembered import Pair, Remembered


class Buckets:
    """A bucket for each name, full at first.

    Parameters
    ----------
    per_minute : int
        Tokens that a bucket holds, and that it gains in a minute.
    clock : callable
        Returns seconds that only grow.
    kept : Remembered
        Where the tokens of each name are kept, and since when.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], kept: Remembered) -> None:
        self._size = float(per_minute)
        self._per_s = per_minute / 60.0
        self._clock = clock
        self._kept = kept

    def wait_s(self, name: str) -> float:
        """Return how long it takes until there is a token: 0 if there is one."""
        return max(0.0, (1.0 - self._tokens(self._kept.get(name))) / self._per_s)

    def take(self, name: str) -> None:
        """Take a token, whether there is one or not; a bucket is never emptier than empty."""
        self._kept.change(name, lambda before: (max(0.0, self._tokens(before) - 1.0), self._clock()))

    def _tokens(self, kept: Pair | None) -> float:
        tokens, at = kept or (self._size, self._clock())
        return min(self._size, tokens + (self._clock() - at) * self._per_s)
