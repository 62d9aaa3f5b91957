"""What was used last, as far as it fits in some memory, and made once for all who wait for it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class _Kept(Generic[Value]):
    value: Value
    cost_bytes: int
    used_at: float


class Recent(Generic[Key, Value]):
    """Values by their keys. Thread-safe.

    Parameters
    ----------
    max_bytes : int
        Memory that the values may take together; the one used longest ago goes first. What is larger by
        itself is not kept.
    cost : callable
        Returns the bytes of a value.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(
        self, max_bytes: int, cost: Callable[[Value], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes = max_bytes
        self._cost = cost
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept[Value]] = OrderedDict()
        self._making: dict[Key, Future[Value]] = {}
        self._size = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return a value, made by the first who asks for it while others wait; they get its error, too.

        Parameters
        ----------
        key : hashable
        make : callable
            Makes the value; must not ask for the same key.
        """
        with self._lock:
            if (kept := self._used(key)) is not None:
                return kept.value
            making = self._making.get(key)
            if making is None:
                mine = self._making[key] = Future[Value]()
        if making is not None:
            return making.result()
        try:
            value = make()
        except BaseException as error:
            self._end(key, mine)
            mine.set_exception(error)
            raise
        self._end(key, mine, value)
        mine.set_result(value)
        return value

    def kept(self, key: Key) -> Value | None:
        """Return a value that is kept, or None."""
        with self._lock:
            kept = self._used(key)
            return None if kept is None else kept.value

    def keys(self) -> set[Key]:
        """Return the keys of what is kept, and of what is being made."""
        with self._lock:
            return {*self._kept, *self._making}

    def drop(self, keys: Collection[Key]) -> None:
        """Forget some keys. What is being made for them is given to those who wait, and not kept."""
        with self._lock:
            for key in keys:
                self._drop(key)

    def forget(self, unused_for_s: float = 0.0) -> None:
        """Forget what nobody has asked for in so many seconds; with 0, everything, as :meth:`drop` does."""
        with self._lock:
            if unused_for_s <= 0:
                self._making.clear()
            until = self._clock() - unused_for_s
            for key in [key for key, kept in self._kept.items() if kept.used_at <= until]:
                self._remove(key)

    def _used(self, key: Key) -> _Kept[Value] | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            kept.used_at = self._clock()
        return kept

    def _end(self, key: Key, mine: Future[Value], *made: Value) -> None:
        """Keep what was made, if anything, unless its key was dropped meanwhile."""
        with self._lock:
            if self._making.get(key) is not mine:
                return
            del self._making[key]
            for value in made:
                self._keep(key, value)

    def _keep(self, key: Key, value: Value) -> None:
        cost_bytes = self._cost(value)
        if cost_bytes > self._max_bytes:
            return
        self._kept[key] = _Kept(value, cost_bytes, self._clock())
        self._size += cost_bytes
        while self._size > self._max_bytes:
            self._remove(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        self._making.pop(key, None)
        if key in self._kept:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        self._size -= self._kept.pop(key).cost_bytes
