"""API keys in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from hmar.adapters.common.keys import (
    LONGEST_LOGIN_S,
    digest,
    expired,
    login_end,
    name_taken,
    new_key,
    new_token,
)
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.identities import identity_of, identity_row
from hmar.adapters.sql.schema import api_keys, login_tokens
from hmar.values.identity import Identity, KeyInfo
from hmar.values.names import checked_name

_STANDING = api_keys.c.revoked_at.is_(None)
_OF_KEY = select(api_keys).where(api_keys.c.sha256 == bindparam("sha256"), _STANDING)


class SqlKeyStore:
    """A :class:`hmar.ports.KeyStore` in a database. Safe between threads and between processes.

    Parameters
    ----------
    database : Database
        Migrated.
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(self, identity: Identity, ttl_s: float | None = None) -> str:
        """Create a key and return it, the only time that it is shown; raises ParameterError."""
        name = checked_name("key", identity.name)
        key, now = new_key(), self._clock()
        row = {
            **identity_row(identity),
            "sha256": digest(key),
            "created_at": now,
            "expires_at": None if ttl_s is None else now + ttl_s,
        }
        with self._database.write() as connection:
            try:
                connection.execute(insert(api_keys), row)
            except IntegrityError as error:
                raise name_taken(name) from error
        return key

    def verify(self, key: str) -> Identity | None:
        """Return who has a valid key, else None."""
        with self._database.read() as connection:
            row = connection.execute(_OF_KEY, {"sha256": digest(key)}).one_or_none()
        return None if row is None or expired(row.expires_at, self._clock()) else identity_of(row)

    def revoke(self, name: str) -> bool:
        """Make a key invalid; return whether there was one."""
        valid = update(api_keys).where(api_keys.c.name == name, _STANDING)
        with self._database.write() as connection:
            return connection.execute(valid.values(revoked_at=self._clock())).rowcount > 0

    def listed(self) -> list[KeyInfo]:
        """Return the keys that were not revoked, in order of their names."""
        with self._database.read() as connection:
            rows = connection.execute(select(api_keys).where(_STANDING)).all()
        found = [(identity_of(row), row) for row in rows]
        keys = [
            KeyInfo(identity, row.expires_at, row.last_used_at)
            for identity, row in found
            if identity is not None
        ]
        # Sorted here, for databases differ in how they order text.
        return sorted(keys, key=lambda info: info.identity.name)

    def note_uses(self, used_at: Mapping[str, float]) -> None:
        """Keep when keys were used last, by their names."""
        with self._database.write() as connection:
            for name, at in used_at.items():
                later = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
                used = update(api_keys).where(api_keys.c.name == name, _STANDING, later)
                connection.execute(used.values(last_used_at=at))

    def create_login(self, identity: Identity, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""
        token, now = new_token(), self._clock()
        row = {**identity_row(identity), "sha256": digest(token), "expires_at": login_end(now, ttl_s)}
        with self._database.write() as connection:
            connection.execute(delete(login_tokens).where(login_tokens.c.expires_at <= now))
            connection.execute(insert(login_tokens), row)
        return token

    def redeem_login(self, token: str) -> Identity | None:
        """Use up a token and return whom it lets in; None if it was not valid."""
        now = self._clock()
        # The row is deleted by one caller only, however many present the token at once.
        used = (
            delete(login_tokens)
            .where(
                login_tokens.c.sha256 == digest(token),
                login_tokens.c.expires_at > now,
                login_tokens.c.expires_at <= now + LONGEST_LOGIN_S,
            )
            .returning(*login_tokens.c)
        )
        with self._database.write() as connection:
            row = connection.execute(used).one_or_none()
        return None if row is None else identity_of(row)
