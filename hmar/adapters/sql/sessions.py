"""Logins to the page, in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, insert, select

from hmar.adapters.common.keys import digest, new_token
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.identities import identity_of, identity_row
from hmar.adapters.sql.schema import sessions
from hmar.values.identity import Identity


class SqlSessionStore:
    """A :class:`hmar.ports.SessionStore` in a database. Safe between threads and between processes.

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

    def begin(self, identity: Identity, ttl_s: float) -> str:
        """Return the secret of a new session, which ends after ``ttl_s`` seconds."""
        secret, now = new_token(), self._clock()
        row = {**identity_row(identity), "sha256": digest(secret), "expires_at": now + ttl_s}
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            connection.execute(insert(sessions), row)
        return secret

    def whose(self, secret: str) -> Identity | None:
        """Return who began a session that has not ended; None if there is none."""
        query = select(sessions).where(
            sessions.c.sha256 == digest(secret), sessions.c.expires_at > self._clock()
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else identity_of(row)

    def end(self, secret: str) -> bool:
        """End a session; return whether it was there."""
        with self._database.write() as connection:
            ended = delete(sessions).where(sessions.c.sha256 == digest(secret))
            return connection.execute(ended).rowcount > 0
