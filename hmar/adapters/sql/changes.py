"""Reading what happened, without codes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from hmar.adapters.sql.database import UNREADABLE, Database, translated
from hmar.adapters.sql.deleting import of_collections
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.reading import BY_ID, DamageReport, InfoReader, Values, unreadable_among, values_of
from hmar.adapters.sql.schema import log
from hmar.adapters.sql.seals import log_intact
from hmar.values.changes import Change, Changes
from hmar.values.deletion import Collections


def read_changes(
    database: Database,
    infos: InfoReader,
    report: DamageReport,
    after_seq: int,
    limit: int,
    collection: Collections,
) -> Changes:
    """Return the next rows of the log in some collections; damaged ones are left out and told."""
    wanted = select(log).where(log.c.seq > after_seq, of_collections(log, collection))
    with database.read() as connection:
        try:
            rows = _read(connection, wanted.order_by(log.c.seq).limit(limit))
            last_seq, damaged = max((row["seq"] for row in rows), default=after_seq), []
        except UNREADABLE:
            seqs = list(connection.scalars(_numbers(after_seq, limit)))
            last_seq, rows = max(seqs, default=after_seq), []
            damaged = unreadable_among(
                seqs, lambda seq: rows.extend(_read(connection, wanted.where(log.c.seq == seq)))
            )
        intact = [row for row in rows if log_intact(row)]
        damaged += {row["seq"] for row in rows} - {row["seq"] for row in intact}
        report.tell("Damaged rows of the log", damaged)
        added = [row["entry_id"] for row in intact if row["kind"] == "add"]
        found = [info for some in parts(added) for info in infos.infos_in(connection, BY_ID, {"ids": some})]
    known = {info.entry_id: info for info in found}
    changes = [
        Change(
            row["seq"],
            row["kind"],
            row["entry_id"],
            row["collection"],
            row["created_at"],
            known.get(row["seq"]),
        )
        for row in intact
    ]
    return Changes(changes, last_seq)


def _numbers(after_seq: int, limit: int) -> Select[Any]:
    return select(log.c.seq).where(log.c.seq > after_seq).order_by(log.c.seq).limit(limit)


def _read(connection: Connection, query: Select[Any]) -> list[Values]:
    with translated():
        return list(values_of(connection, query))
