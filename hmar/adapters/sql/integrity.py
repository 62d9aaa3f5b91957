"""Integrity of what is kept in SQL: digests of rows, the log against the entries, and checks of secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, exists, insert, select, text, update

from hmar.adapters.sql.database import Database, translated
from hmar.adapters.sql.log_check import checked_log, mended_log
from hmar.adapters.sql.log_rows import lock
from hmar.adapters.sql.quarantine import take_out, waiting_rows
from hmar.adapters.sql.reading import Values, values_of, verified
from hmar.adapters.sql.rotating import rotate_keys
from hmar.adapters.sql.rows import encoded_frame
from hmar.adapters.sql.schema import audit_anchor, damaged_rows, entries, log, secret_checks
from hmar.adapters.sql.seals import entry_intact, sealed_entry, sealed_log
from hmar.disk import writing
from hmar.values.audit import AuditAnchor
from hmar.values.damage import CheckedEntries, CheckedLog, DamagedRow, Sealed, SealedTable

SHOWN_PROBLEMS = 20


class SqlIntegrity:
    """A :class:`hmar.ports.Integrity` of a database. Safe between threads and between processes.

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

    def store_problems(self) -> list[str]:
        """Return what SQLite's check of the whole file finds, and what was lost with its write-ahead log.

        PostgreSQL looks after its own files.
        """
        if not self._database.is_sqlite:
            return []
        found = self._file_problems()
        return found if self._database.wal_damage is None else [*found, *self._database.wal_damage.noted()]

    def _file_problems(self) -> list[str]:
        with self._database.read() as connection:
            found = connection.execute(text(f"PRAGMA integrity_check({SHOWN_PROBLEMS})")).scalars().all()
        return [] if found == ["ok"] else [str(line).splitlines()[0] for line in found]

    def mend_store(self) -> None:
        """Build the indexes of a SQLite file anew, if its check finds anything; they follow from its rows.

        What was lost with a damaged write-ahead log is not brought back, only not told any more.
        """
        if not self._database.is_sqlite:
            return
        if self._file_problems():
            with self._database.write() as connection:
                connection.execute(text("REINDEX"))
        if self._database.wal_damage is not None:
            with writing("The database's folder"):
                self._database.wal_damage.forget()

    def check_entries(self, after_id: int, limit: int) -> CheckedEntries | None:
        """Verify the next entries in order of their ids; None after the last."""
        following = (
            select(entries.c.entry_id)
            .where(entries.c.entry_id > after_id)
            .order_by(entries.c.entry_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            ids = list(connection.scalars(following))
            if not ids:
                return None
            unsealed, damaged = _checked(connection, ids)
        return CheckedEntries(len(ids), ids[-1], unsealed, tuple(damaged))

    def check_log(self, progress: Callable[[int], None] = lambda _rows: None) -> CheckedLog:
        """Verify the whole log, against its digests and against the entries."""
        with self._database.read() as connection:
            return checked_log(connection, progress)

    def take_out(self, entry_ids: Sequence[int]) -> int:
        """Move those entries that are damaged indeed to the damaged rows, and log them as gone."""
        with self._database.write() as connection:
            lock(connection)
            _, damaged = _checked(connection, list(entry_ids))
            return take_out(connection, damaged, self._clock())

    def damaged_rows(self) -> list[DamagedRow]:
        """Return the frames that were taken out and are not back, oldest first."""
        with self._database.read() as connection:
            return waiting_rows(connection)

    def forget_damaged(self, entry_ids: Sequence[int]) -> None:
        """Drop damaged rows whose frames are back under other names."""
        with self._database.write() as connection:
            for entry_id in entry_ids:
                connection.execute(delete(damaged_rows).where(damaged_rows.c.entry_id == entry_id))

    def mend_log(self) -> int:
        """Make the log say again what the entries say; return the number of rows written."""
        with self._database.write() as connection:
            lock(connection)
            return mended_log(connection, self._clock())

    def seal(self, table: SealedTable, after_id: int, limit: int) -> Sealed | None:
        """Give digests to those of the next rows that have none; what they hold counts as written."""
        rows, key, sealed = _SEALED[table]
        following = select(key).where(key > after_id).order_by(key).limit(limit)
        with self._database.write() as connection:
            lock(connection)
            ids = list(connection.scalars(following))
            if not ids:
                return None
            bare = select(rows).where(key.between(ids[0], ids[-1]), rows.c.row_digest.is_(None))
            found = list(values_of(connection, bare))
            for row in found:
                digests = {name: value for name, value in sealed(row).items() if name.endswith("_digest")}
                connection.execute(update(rows).where(key == row[key.name]).values(**digests))
        return Sealed(len(found), ids[-1])

    def secret_check(self, name: str) -> str | None:
        """Return the check value of a secret, None before there is one."""
        with self._database.read() as connection:
            return connection.scalar(select(secret_checks.c.value).where(secret_checks.c.name == name))

    def keep_secret_check(self, name: str, value: str) -> None:
        """Store the check value of a secret, in place of any other."""
        with self._database.write() as connection:
            lock(connection)
            _keep_check(connection, name, value)

    def rotate_patients(
        self,
        step: bytes,
        check: str,
        anchor: AuditAnchor | None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Give each patient the next key, in one transaction; return how many frames have another one."""
        with self._database.write() as connection:
            lock(connection)
            frames = rotate_keys(connection, step, progress)
            _keep_check(connection, "patient", check)
            if anchor is not None:
                proven = update(audit_anchor).where(audit_anchor.c.seq == anchor.mark.seq)
                connection.execute(proven.values(proof=anchor.proof))
        self._database.empty_write_ahead_log()
        return frames

    def holds_patient_keys(self) -> bool:
        """Return whether any frame has a key that was made with the patient secret."""
        keyed = exists().where(entries.c.patient_key.is_not(None))
        with self._database.read() as connection:
            return bool(connection.scalar(select(keyed)))


def _keep_check(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(secret_checks).where(secret_checks.c.name == name))
    connection.execute(insert(secret_checks), {"name": name, "value": value})


def _checked(connection: Connection, ids: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many of some entries have no digest, and which are damaged."""

    def rows(some: Sequence[int]) -> list[Values]:
        with translated():
            return list(values_of(connection, select(entries).where(entries.c.entry_id.in_(some))))

    unsealed, damaged = verified(ids, rows, "entry_id", _intact)
    return unsealed, sorted(damaged)


def _intact(row: Values) -> bool:
    if row["row_digest"] is None:
        encoded_frame(row)  # raises what an unreadable row does, where it is no row at all
    return entry_intact(row)


_SEALED: dict[SealedTable, tuple[Table, Column[Any], Callable[[Values], dict[str, Any]]]] = {
    "entries": (entries, entries.c.entry_id, sealed_entry),
    "log": (log, log.c.seq, sealed_log),
}
