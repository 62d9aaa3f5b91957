"""API keys in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hmar.adapters.common.keys import LONGEST_LOGIN_S, digest, login_end, name_taken, new_key, new_token
from hmar.values.names import checked_name


class MemoryKeyStore:
    """A :class:`hmar.ports.KeyStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._logins: dict[str, float] = {}

    def create(self, name: str) -> str:
        """Create a key and return it, the only time that it is shown; raises ParameterError."""
        checked_name("key", name)
        key = new_key()
        with self._lock:
            if name in self._names.values():
                raise name_taken(name)
            self._names[digest(key)] = name
        return key

    def verify(self, key: str) -> str | None:
        """Return the name of a valid key, else None."""
        with self._lock:
            return self._names.get(digest(key))

    def revoke(self, name: str) -> bool:
        """Make a key invalid; return whether there was one."""
        with self._lock:
            found = [stored for stored, known in self._names.items() if known == name]
            for stored in found:
                del self._names[stored]
        return bool(found)

    def names(self) -> list[str]:
        """Return the names of the valid keys, sorted."""
        with self._lock:
            return sorted(self._names.values())

    def create_login(self, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""
        token, now = new_token(), self._clock()
        with self._lock:
            self._logins = {stored: end for stored, end in self._logins.items() if end > now}
            self._logins[digest(token)] = login_end(now, ttl_s)
        return token

    def redeem_login(self, token: str) -> bool:
        """Use up a token; return whether it was valid."""
        with self._lock:
            end, now = self._logins.pop(digest(token), None), self._clock()
        return end is not None and now < end <= now + LONGEST_LOGIN_S
