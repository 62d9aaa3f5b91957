"""API keys in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from hmar.adapters.common.keys import (
    LONGEST_LOGIN_S,
    digest,
    expired,
    login_end,
    name_taken,
    new_key,
    new_token,
)
from hmar.values.identity import Identity, KeyInfo
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
        self._keys: dict[str, KeyInfo] = {}
        self._logins: dict[str, tuple[Identity, float]] = {}

    def create(self, identity: Identity, ttl_s: float | None = None) -> str:
        """Create a key and return it, the only time that it is shown; raises ParameterError."""
        name = checked_name("key", identity.name)
        key = new_key()
        with self._lock:
            if self._stored(name):
                raise name_taken(name)
            self._keys[digest(key)] = KeyInfo(identity, None if ttl_s is None else self._clock() + ttl_s)
        return key

    def verify(self, key: str) -> Identity | None:
        """Return who has a valid key, else None."""
        with self._lock:
            found = self._keys.get(digest(key))
        return None if found is None or expired(found.expires_at, self._clock()) else found.identity

    def revoke(self, name: str) -> bool:
        """Make a key invalid; return whether there was one."""
        with self._lock:
            found = self._stored(name)
            for stored in found:
                del self._keys[stored]
        return bool(found)

    def listed(self) -> list[KeyInfo]:
        """Return the keys that were not revoked, in order of their names."""
        with self._lock:
            return sorted(self._keys.values(), key=lambda info: info.identity.name)

    def note_uses(self, used_at: Mapping[str, float]) -> None:
        """Keep when keys were used last, by their names."""
        with self._lock:
            for name, at in used_at.items():
                for stored in self._stored(name):
                    info = self._keys[stored]
                    self._keys[stored] = replace(info, last_used_at=max(at, info.last_used_at or at))

    def _stored(self, name: str) -> list[str]:
        return [stored for stored, info in self._keys.items() if info.identity.name == name]

    def create_login(self, identity: Identity, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""
        token, now = new_token(), self._clock()
        with self._lock:
            self._logins = {stored: login for stored, login in self._logins.items() if login[1] > now}
            self._logins[digest(token)] = identity, login_end(now, ttl_s)
        return token

    def redeem_login(self, token: str) -> Identity | None:
        """Use up a token and return whom it lets in; None if it was not valid."""
        with self._lock:
            identity, end = self._logins.pop(digest(token), (None, 0.0))
        now = self._clock()
        return identity if now < end <= now + LONGEST_LOGIN_S else None
