"""The rows of the audit log in SQL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.schema import audit, audit_anchor
from hmar.values.audit import BEGINNING, AuditAnchor, AuditMark, AuditRecord, AuditRow, Seal, WantedAudit

_ROWS = select(audit.c.seq, audit.c.digest, *(audit.c[name] for name in AuditRecord._fields))


class SqlAuditStore:
    """A :class:`hmar.ports.AuditStore` in a database. Safe between threads and between processes.

    A writer holds a lock from before it reads the last row until its commit, so that no two rows follow one.

    Parameters
    ----------
    database : Database
        Migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, records: Sequence[AuditRecord], seal: Seal) -> AuditMark:
        """Append records in one transaction; return the last row."""
        with self._database.write() as connection:
            self._database.lock_table(connection, audit.name)
            last = _last(connection)
            rows = []
            for record in records:
                last = AuditMark(last.seq + 1, seal(last, record))
                rows.append({**last._asdict(), **record._asdict()})
            if rows:
                connection.execute(insert(audit), rows)
        return last

    def rows(self, after_seq: int, limit: int) -> list[AuditRow]:
        """Return the next rows in order of their numbers."""
        with self._database.read() as connection:
            found = connection.execute(
                _ROWS.where(audit.c.seq > after_seq).order_by(audit.c.seq).limit(limit)
            ).all()
        return [_row(values) for values in found]

    def newest(self, wanted: WantedAudit, before_seq: int | None, limit: int) -> list[AuditRow]:
        """Return the last rows before a number that are wanted, newest first."""
        query = _ROWS.where(audit.c.at >= wanted.since)
        if wanted.until < math.inf:
            query = query.where(audit.c.at < wanted.until)
        if wanted.operation is not None:
            query = query.where(audit.c.operation == wanted.operation)
        if before_seq is not None:
            query = query.where(audit.c.seq < before_seq)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(audit.c.seq.desc()).limit(limit)).all()
        return [_row(values) for values in found]

    def digest(self, seq: int) -> str | None:
        """Return the digest of a row, None where there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(audit.c.digest).where(audit.c.seq == seq))

    def anchor(self) -> AuditAnchor | None:
        """Return where the log begins, None where nothing was pruned."""
        with self._database.read() as connection:
            return _anchor(connection)

    def prune(self, anchor: AuditAnchor) -> int:
        """Remove the rows up to an anchor, which takes their place; return how many."""
        with self._database.write() as connection:
            self._database.lock_table(connection, audit.name)
            known = _anchor(connection)
            if known is not None and known.mark.seq >= anchor.mark.seq:
                return 0
            connection.execute(delete(audit_anchor))
            connection.execute(insert(audit_anchor), {**anchor.mark._asdict(), "proof": anchor.proof})
            return connection.execute(delete(audit).where(audit.c.seq <= anchor.mark.seq)).rowcount


def _row(values: Sequence[Any]) -> AuditRow:
    seq, digest, *record = values
    return AuditRow(seq, AuditRecord(*record), digest)


def _last(connection: Connection) -> AuditMark:
    newest = select(func.max(audit.c.seq)).scalar_subquery()
    row = connection.execute(select(audit.c.seq, audit.c.digest).where(audit.c.seq == newest)).one_or_none()
    if row is not None:
        return AuditMark(*row)
    anchor = _anchor(connection)
    return BEGINNING if anchor is None else anchor.mark


def _anchor(connection: Connection) -> AuditAnchor | None:
    row = connection.execute(select(audit_anchor).order_by(audit_anchor.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else AuditAnchor(AuditMark(row.seq, row.digest), row.proof)
