"""When each key was used last: noted in memory, and written now and then, so that no request waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hmar.ports import KeyStore

WRITTEN_EVERY_S = 60.0


class LastUses:
    """Thread-safe.

    Parameters
    ----------
    keys : KeyStore
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, keys: KeyStore, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._used_at: dict[str, float] = {}

    def note(self, name: str) -> None:
        """Note that a key is used now."""
        with self._lock:
            self._used_at[name] = self._clock()

    def write(self) -> None:
        """Write what was noted since the last time."""
        with self._lock:
            used_at, self._used_at = self._used_at, {}
        if used_at:
            self._keys.note_uses(used_at)
