"""Requests in hand by key or login, of this process and of those beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from service.edge.remembered import Remembered


class InHand:
    """Counts requests; for one thread.

    Each process tells the others its own count, which is void when the process has died and starts again.

    Parameters
    ----------
    clock : callable
        Returns seconds that only grow.
    told : Remembered or None
        Where the others read the counts of this process.
    others : sequence of Remembered
        Where those of each other process are.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        told: Remembered | None = None,
        others: Sequence[Remembered] = (),
    ) -> None:
        self._clock = clock
        self._told = told
        self._others = others
        self._own: Counter[str] = Counter()

    def count(self, name: str) -> int:
        """Return how many requests of a key are in hand."""
        found = [other.get(name) for other in self._others]
        return self._own[name] + sum(int(pair[0]) for pair in found if pair is not None)

    def begin(self, name: str) -> None:
        """Count one more."""
        self._own[name] += 1
        self._tell(name)

    def end(self, name: str) -> None:
        """Count one less."""
        self._own[name] -= 1
        if not self._own[name]:
            del self._own[name]
        self._tell(name)

    def _tell(self, name: str) -> None:
        if self._told is None:
            return
        if count := self._own[name]:
            self._told.change(name, lambda _before: (float(count), self._clock()))
        else:
            self._told.drop(name)
