"""API keys in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hmar.adapters.common.keys import LONGEST_LOGIN_S, digest, login_end, name_taken, new_key, new_token
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.schema import api_keys, login_tokens
from hmar.values.names import checked_name


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

    def create(self, name: str) -> str:
        """Create a key and return it, the only time that it is shown; raises ParameterError."""
        checked_name("key", name)
        key = new_key()
        row = {"name": name, "sha256": digest(key), "created_at": self._clock()}
        with self._database.write() as connection:
            try:
                connection.execute(insert(api_keys), row)
            except IntegrityError as error:
                raise name_taken(name) from error
        return key

    def verify(self, key: str) -> str | None:
        """Return the name of a valid key, else None."""
        query = select(api_keys.c.name).where(
            api_keys.c.sha256 == digest(key), api_keys.c.revoked_at.is_(None)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def revoke(self, name: str) -> bool:
        """Make a key invalid; return whether there was one."""
        valid = update(api_keys).where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        with self._database.write() as connection:
            return connection.execute(valid.values(revoked_at=self._clock())).rowcount > 0

    def names(self) -> list[str]:
        """Return the names of the valid keys, sorted."""
        query = select(api_keys.c.name).where(api_keys.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def create_login(self, ttl_s: float) -> str:
        """Return a token that can be redeemed once within ``ttl_s`` seconds."""
        token, now = new_token(), self._clock()
        with self._database.write() as connection:
            connection.execute(delete(login_tokens).where(login_tokens.c.expires_at <= now))
            connection.execute(
                insert(login_tokens), {"sha256": digest(token), "expires_at": login_end(now, ttl_s)}
            )
        return token

    def redeem_login(self, token: str) -> bool:
        """Use up a token; return whether it was valid."""
        now = self._clock()
        # The row is deleted by one caller only, however many present the token at once.
        used = delete(login_tokens).where(
            login_tokens.c.sha256 == digest(token),
            login_tokens.c.expires_at > now,
            login_tokens.c.expires_at <= now + LONGEST_LOGIN_S,
        )
        with self._database.write() as connection:
            return connection.execute(used).rowcount > 0
