"""Reading the log: every row verified, whatever state its neighbours are in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, select

from hmar.adapters.common.entries import check_encoded
from hmar.adapters.sql.database import UNREADABLE, Database
from hmar.adapters.sql.log_rows import without_delete
from hmar.adapters.sql.reading import DamageReport, Values, unreadable_among, values_of
from hmar.adapters.sql.rows import encoded_frame
from hmar.adapters.sql.schema import entries, log
from hmar.adapters.sql.seals import entry_intact, log_intact
from hmar.values.codes import EncodedFrame, without_windows
from hmar.values.entries import LogRow

_LOGGED = [column.label(f"log_{column.name}") for column in log.columns]
_LOG_NAMES = {column.name: f"log_{column.name}" for column in log.columns}


class LogReader:
    """Reads the log with the codes of what it added.

    A damaged entry comes as one that is gone, and so does one that vanished: the log has its "add" and no
    "delete". A damaged row of the log comes as the "add" of the entry of its own number, which is all that it
    can have been if that entry is there. All of them are logged once, and so are lost rows.

    Parameters
    ----------
    database : Database
    report : DamageReport
        Told of what is damaged.
    """

    def __init__(self, database: Database, report: DamageReport) -> None:
        self._database = database
        self._report = report

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows in order of sequence number."""
        try:
            rows = self._read(_query(after_seq, limit))
        except UNREADABLE:
            rows = self._one_by_one(after_seq, limit)
        self._tell_lost(after_seq, rows)
        return rows

    def marks(self, after_seq: int, limit: int) -> list[str]:
        """Return the marks of the next log rows."""
        with self._database.read() as connection:
            return list(connection.scalars(_MARKS, {"after": after_seq, "most": max(limit, 0)}))

    def _read(self, query: Select[Any], with_entries: bool = True) -> list[LogRow]:
        damaged: list[int] = []
        damaged_log: list[int] = []
        with self._database.read() as connection:
            rows = [_log_row(values, damaged, damaged_log) for values in values_of(connection, query)]
            gone = {row.seq for row in rows if with_entries and row.kind == "add" and row.encoded is None}
            vanished = without_delete(connection, sorted(gone.difference(damaged, damaged_log)))
        self._report.tell("Damaged entries", damaged)
        self._report.tell("Damaged rows of the log", damaged_log)
        self._report.tell("Vanished entries", vanished)
        return rows

    def _one_by_one(self, after_seq: int, limit: int) -> list[LogRow]:
        following = select(log.c.seq).where(log.c.seq > after_seq).order_by(log.c.seq).limit(max(limit, 0))
        with self._database.read() as connection:
            seqs = connection.scalars(following).all()
        rows: list[LogRow] = []
        broken = unreadable_among(seqs, lambda seq: rows.extend(self._read(_query(seq - 1, 1))))
        alone = unreadable_among(broken, lambda seq: rows.extend(self._read(_alone(seq), False)))
        rows += [LogRow(seq, "add", seq, "", "", None) for seq in alone]
        self._report.tell("Damaged entries", set(broken) - set(alone))
        self._report.tell("Damaged rows of the log", alone)
        return sorted(rows, key=lambda row: row.seq)

    def _tell_lost(self, after_seq: int, rows: list[LogRow]) -> None:
        """Log gaps by the number that they begin with."""
        before = max(after_seq, 0)
        lost = []
        for row in rows:
            if row.seq != before + 1:
                lost.append(before + 1)
            before = row.seq
        self._report.tell("Gaps in the log", lost)


# An "add" has the number of its entry, and a "delete" one that no entry has.
_ROWS = select(*_LOGGED, *entries.columns).select_from(
    log.outerjoin(entries, entries.c.entry_id == log.c.seq)
)

_MARKS = select(log.c.mark).where(log.c.seq > bindparam("after")).order_by(log.c.seq).limit(bindparam("most"))


def _query(after_seq: int, limit: int) -> Select[Any]:
    return _ROWS.where(log.c.seq > after_seq).order_by(log.c.seq).limit(max(limit, 0))


def _alone(seq: int) -> Select[Any]:
    return select(*_LOGGED).where(log.c.seq == seq)


def _log_row(values: Values, damaged: list[int], damaged_log: list[int]) -> LogRow:
    seq = values["log_seq"]
    encoded = None
    if values.get("entry_id") is not None:
        encoded = _encoded(values)
        if encoded is None:
            damaged.append(seq)
    if log_intact({name: values[logged] for name, logged in _LOG_NAMES.items()}):
        return LogRow(
            seq,
            values["log_kind"],
            values["log_entry_id"],
            values["log_collection"],
            values["log_mark"],
            encoded,
        )
    damaged_log.append(seq)
    collection = values["log_collection"] if encoded is None else values["collection"]
    return LogRow(seq, "add", seq, str(collection), str(values["log_mark"]), encoded)


def _encoded(values: Values) -> EncodedFrame | None:
    """Return the codes of an entry that are searched, None where it is damaged."""
    if not entry_intact(values):
        return None
    encoded = encoded_frame(values)
    if values["row_digest"] is None:
        check_encoded(encoded)
    return without_windows(encoded) if values["held_back"] else encoded
