"""Logins to the page, in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hmar.adapters.common.keys import digest, new_token
from hmar.values.identity import Identity


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
        self._sessions: dict[str, tuple[Identity, float]] = {}

    def begin(self, identity: Identity, ttl_s: float) -> str:
        """Return the secret of a new session, which ends after ``ttl_s`` seconds."""
        secret, now = new_token(), self._clock()
        with self._lock:
            self._sessions = {stored: begun for stored, begun in self._sessions.items() if begun[1] > now}
            self._sessions[digest(secret)] = identity, now + ttl_s
        return secret

    def whose(self, secret: str) -> Identity | None:
        """Return who began a session that has not ended; None if there is none."""
        with self._lock:
            identity, end = self._sessions.get(digest(secret), (None, 0.0))
        return identity if end > self._clock() else None

    def end(self, secret: str) -> bool:
        """End a session; return whether it was there."""
        with self._lock:
            return self._sessions.pop(digest(secret), None) is not None
