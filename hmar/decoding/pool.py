"""The children, lent to one thread at a time: first come, first served, and nobody waits for ever."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hmar.contents import Content
from hmar.decoding.process import Child
from hmar.errors import UnavailableError


class _Place:
    """A thread that waits, and what it is given: a child, or leave to start one."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.child: Child | None = None


class Pool:
    """Lends children. Thread-safe. Children are started when there is need, and replaced when they end.

    Parameters
    ----------
    start : callable
        Starts a child that can open a file.
    size : int
        Most children at a time.
    wait_s : float
        How long a thread waits for its turn.
    """

    def __init__(self, start: Callable[[Content], Child], size: int, wait_s: float) -> None:
        self._start = start
        self._size = size
        self._wait_s = wait_s
        self._closed = False
        self.replaced = 0
        """Children that ended, or had to be ended, before the pool was closed."""
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._waiting: deque[_Place] = deque()
        self._idle: list[Child] = []
        self._places = self._size

    @contextmanager
    def child(self, file: int, data: Content = b"") -> Iterator[Child]:
        """Lend a child, one that has the file open if such a one is idle.

        Parameters
        ----------
        file : int
            Number of the file.
        data : bytes or FileBytes
            The file. One that lies on the disk has a child of its own.

        Raises
        ------
        UnavailableError
            If all are in use for longer than a thread waits, none can be started, or the pool is closed.
        """
        if os.getpid() != self._owner:
            # This process was forked itself: the children are those of its parent.
            self._begin()
        child = self._taken(file, data)
        try:
            if child is not None and not child.usable:
                self._end(child)
                child = None
            elif child is not None and not child.serves(data):
                child.end()
                child = None
            child = child or self._start(data)
            yield child
        finally:
            self._give_back(child)

    def close(self) -> None:
        """End the children; one in use ends when it is given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self._places += len(idle)
            waiting, self._waiting = self._waiting, deque()
        for place in waiting:
            place.called.set()
        for child in idle:
            child.end()

    def _taken(self, file: int, data: Content) -> Child | None:
        """Wait for a place; return an idle child, None where one is to be started."""
        with self._lock:
            if self._closed:
                raise _closed()
            if not self._waiting and (self._idle or self._places):
                return self._next(file, data)
            place = _Place()
            self._waiting.append(place)
        try:
            place.called.wait(self._wait_s)
        except BaseException:
            # Ctrl-C: the place goes to the next.
            with self._lock:
                called = place not in self._waiting
                if not called:
                    self._waiting.remove(place)
            if called:
                self._give_back(place.child)
            raise
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                raise UnavailableError(
                    f"All {self._size} decoders are in use, for longer than {self._wait_s:g} seconds.",
                    "Try again later; raise HMAR_DECODERS where there are more cores.",
                )
            if self._closed and place.child is None:
                raise _closed()
            return place.child

    def _next(self, file: int, data: Content) -> Child | None:
        for number, child in enumerate(self._idle):
            if child.holds(file):
                return self._idle.pop(number)
        for number in reversed(range(len(self._idle))):
            if self._idle[number].serves(data):
                return self._idle.pop(number)
        if self._places:
            self._places -= 1
            return None
        return self._idle.pop()

    def _give_back(self, child: Child | None) -> None:
        if child is not None and not child.usable:
            self._end(child)
            child = None
        with self._lock:
            closing = self._closed
            if not closing and self._waiting:
                place = self._waiting.popleft()
                place.child = child
                place.called.set()
            elif child is None or closing:
                self._places += 1
            else:
                self._idle.append(child)
        if closing and child is not None:
            child.end()

    def _end(self, child: Child) -> None:
        child.end()
        with self._lock:
            self.replaced += 1


def _closed() -> UnavailableError:
    return UnavailableError("The decoders are closed.", "Open the archive again.")
