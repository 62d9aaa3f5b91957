"""Logins to the page, in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hmar.adapters.common.keys import digest, new_token


class MemorySessionStore:
    """A :class:`hmar.ports.SessionStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}

    def begin(self, ttl_s: float) -> str:
        """Return the secret of a new session, which ends after ``ttl_s`` seconds."""
        secret, now = new_token(), self._clock()
        with self._lock:
            self._ends = {stored: end for stored, end in self._ends.items() if end > now}
            self._ends[digest(secret)] = now + ttl_s
        return secret

    def holds(self, secret: str) -> bool:
        """Return whether a session has begun and not ended."""
        with self._lock:
            return self._ends.get(digest(secret), 0.0) > self._clock()

    def end(self, secret: str) -> bool:
        """End a session; return whether it was there."""
        with self._lock:
            return self._ends.pop(digest(secret), None) is not None
