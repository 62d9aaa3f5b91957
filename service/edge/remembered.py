"""A pair of numbers for each name, of the names that were used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

MOST = 4096
Pair = tuple[float, float]
"""A value, and the second in which it was set."""
Change = Callable[[Pair | None], Pair]
"""Makes of a pair, None where there is none, the one that takes its place."""


class Remembered(Protocol):
    """Pairs by name. Of too many names those set longest ago are forgotten."""

    def get(self, name: str) -> Pair | None:
        """Return the pair of a name, None where there is none."""

    def change(self, name: str, change: Change) -> None:
        """Put another pair in the place of the one of a name; nobody changes it meanwhile."""

    def drop(self, name: str) -> None:
        """Forget a name."""


class OwnMemory:
    """A :class:`Remembered` of this process, for one thread.

    Parameters
    ----------
    most : int
        Names remembered.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._pairs: OrderedDict[str, Pair] = OrderedDict()

    def get(self, name: str) -> Pair | None:
        """Return the pair of a name, None where there is none."""
        return self._pairs.get(name)

    def change(self, name: str, change: Change) -> None:
        """Put another pair in the place of the one of a name."""
        self._pairs[name] = change(self._pairs.get(name))
        self._pairs.move_to_end(name)
        if len(self._pairs) > self._most:
            self._pairs.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forget a name."""
        self._pairs.pop(name, None)
