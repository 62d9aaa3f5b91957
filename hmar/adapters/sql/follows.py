"""How far PACS are followed, in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import pacs_follows, pacs_gone
from hmar.values.follows import Followed, FollowState, SweepKind
from hmar.values.pulls import InstanceReference

_FIELDS = tuple(item.name for item in fields(FollowState))


class SqlFollowStore:
    """A :class:`hmar.ports.FollowStore` in a database. Safe between threads and between processes.

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

    def followed(self, site: str) -> Followed:
        """Return how far a PACS is followed; a fresh state for one that never was."""
        with self._database.read() as connection:
            row = connection.execute(select(pacs_follows).where(pacs_follows.c.site == site)).one_or_none()
        return Followed(FollowState()) if row is None else self._followed(row)

    def claim(self, site: str, holder: str, lease_s: float) -> Followed | None:
        """Hold a PACS, or go on holding it; None where another watcher does."""
        columns, now = pacs_follows.c, self._clock()
        free = or_(
            columns.holder == holder,
            columns.lease_until <= now,
            # Longer than any lease: it was given before the clock was set back.
            columns.lease_until > now + lease_s,
        )
        held = (
            update(pacs_follows)
            .where(columns.site == site, free)
            .values(holder=holder, lease_until=now + lease_s)
            .returning(*columns)
        )
        self._make(site)
        with self._database.write() as connection:
            row = connection.execute(held).one_or_none()
        return None if row is None else self._followed(row)

    def keep(
        self, site: str, holder: str, state: FollowState, lease_s: float, done: SweepKind | None = None
    ) -> bool:
        """Write a state and renew the lease; return whether the PACS was still held."""
        columns = pacs_follows.c
        written = (
            update(pacs_follows)
            .where(columns.site == site, columns.holder == holder)
            .values(
                **asdict(state),
                lease_until=self._clock() + lease_s,
                asked=case((columns.asked == done, null()), else_=columns.asked),
            )
        )
        with self._database.write() as connection:
            return connection.execute(written).rowcount > 0

    def release(self, site: str, holder: str) -> None:
        """Let another watcher hold the PACS."""
        columns = pacs_follows.c
        freed = (
            update(pacs_follows)
            .where(columns.site == site, columns.holder == holder)
            .values(holder=None, lease_until=0.0)
        )
        with self._database.write() as connection:
            connection.execute(freed)

    def ask(self, site: str, kind: SweepKind) -> None:
        """Have whoever watches a PACS begin a sweep."""
        self._make(site)
        with self._database.write() as connection:
            connection.execute(update(pacs_follows).where(pacs_follows.c.site == site).values(asked=kind))

    def note_gone(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that a PACS has instances no more."""
        self._note(site, gone, deleted=False)

    def note_deleted(self, site: str, gone: Collection[InstanceReference]) -> None:
        """Note that such instances were deleted here."""
        self._note(site, gone, deleted=True)

    def note_back(self, site: str, back: Collection[InstanceReference]) -> None:
        """Forget both of instances that the PACS has."""
        if back:
            with self._database.write() as connection:
                _forget(connection, site, back)

    def gone(self, site: str, limit: int) -> list[InstanceReference]:
        """Return instances that are to be deleted, in any order."""
        found = select(pacs_gone.c.reference).where(_waits(site)).limit(limit)
        with self._database.read() as connection:
            return [InstanceReference.parse(text) for text in connection.scalars(found)]

    def gone_count(self, site: str) -> int:
        """Return how many there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(pacs_gone).where(_waits(site))) or 0

    def deleted(self, site: str, references: Collection[InstanceReference]) -> set[InstanceReference]:
        """Return those of some instances that were deleted here because the PACS had them no more."""
        by_text = {str(reference): reference for reference in references}
        found = set()
        with self._database.read() as connection:
            for some in parts(by_text):
                known = select(pacs_gone.c.reference).where(
                    pacs_gone.c.site == site, pacs_gone.c.deleted, pacs_gone.c.reference.in_(some)
                )
                found |= {by_text[text] for text in connection.scalars(known)}
        return found

    def _make(self, site: str) -> None:
        """See that a PACS has a row."""
        there = select(pacs_follows.c.site).where(pacs_follows.c.site == site)
        with self._database.read() as connection:
            if connection.scalar(there) is not None:
                return
        row = {"site": site, "lease_until": 0.0, **asdict(FollowState())}
        with self._database.write() as connection:
            self._database.lock_table(connection, pacs_follows.name)
            if connection.scalar(there) is None:  # another watcher may have made it meanwhile
                connection.execute(insert(pacs_follows), row)

    def _note(self, site: str, gone: Collection[InstanceReference], deleted: bool) -> None:
        if not gone:
            return
        rows = [{"site": site, "reference": str(one), "deleted": deleted} for one in sorted(set(gone))]
        with self._database.write() as connection:
            _forget(connection, site, gone)
            connection.execute(insert(pacs_gone), rows)

    def _followed(self, row: Row[Any]) -> Followed:
        state = FollowState(**{name: getattr(row, name) for name in _FIELDS})
        return Followed(state, row.asked, row.lease_until > self._clock())


def _forget(connection: Connection, site: str, references: Collection[InstanceReference]) -> None:
    for some in parts([str(reference) for reference in references]):
        connection.execute(delete(pacs_gone).where(pacs_gone.c.site == site, pacs_gone.c.reference.in_(some)))


def _waits(site: str) -> ColumnElement[bool]:
    return and_(pacs_gone.c.site == site, pacs_gone.c.deleted.is_(False))
