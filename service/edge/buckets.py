"""Token buckets: so many a minute, and a minute's worth at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST = 4096


class Buckets:
    """A bucket for each name, full at first.

    Of more names than ``most`` the least recently used are forgotten.

    Parameters
    ----------
    per_minute : int
        Tokens that a bucket holds, and that it gains in a minute.
    clock : callable
        Returns seconds that only grow.
    most : int
        Names remembered.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], most: int = MOST) -> None:
        self._size = float(per_minute)
        self._per_s = per_minute / 60.0
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Return how long it takes until there is a token: 0 if there is one."""
        return max(0.0, (1.0 - self._tokens(name)) / self._per_s)

    def take(self, name: str) -> None:
        """Take a token, whether there is one or not; a bucket is never emptier than empty."""
        self._buckets[name] = (max(0.0, self._tokens(name) - 1.0), self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)

    def _tokens(self, name: str) -> float:
        tokens, at = self._buckets.get(name, (self._size, self._clock()))
        return min(self._size, tokens + (self._clock() - at) * self._per_s)
