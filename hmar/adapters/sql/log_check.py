"""The log against its digests and against the entries, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, delete, func, insert, select, update

from hmar.adapters.sql.database import translated
from hmar.adapters.sql.log_rows import log_deletes, write_log
from hmar.adapters.sql.reading import Values, values_of, verified
from hmar.adapters.sql.schema import counter, entries, log
from hmar.adapters.sql.seals import log_intact
from hmar.values.damage import CheckedLog

PAGE_ROWS = 5000
LOST_AT_MOST = 1_000_000
"""So many lost rows are written anew; a counter that is further ahead is what is damaged."""


def checked_log(connection: Connection, progress: Callable[[int], None]) -> CheckedLog:
    """Compare the whole log with its digests and with the entries."""
    rows = unsealed = damaged = last = 0
    while seqs := _next(connection, last):
        new, bad = _checked(connection, seqs)
        rows, unsealed, damaged, last = rows + len(seqs), unsealed + new, damaged + len(bad), seqs[-1]
        progress(rows)
    counted = _counted(connection)
    lost = max(last, counted) - rows
    vanished = tuple(connection.scalars(_vanished(log.c.seq)))
    unlogged = len(_unlogged(connection))
    # A counter behind the log would give a number twice: it counts as one more row to mend.
    behind = int(counted < last)
    return CheckedLog(rows, unsealed, damaged + behind, lost, vanished, unlogged)


def mended_log(connection: Connection, now: float) -> int:
    """Write damaged and lost rows anew, and log what vanished as deleted; return the number of rows written.

    What a row said is not known. It becomes the "add" of the entry of its own number if that is there: then
    this is what it was. Else it becomes the "delete" of its own number. If it was the "delete" of another
    entry, that one has vanished, and is logged again.
    """
    broken = _broken(connection)
    if broken:
        for start in range(0, len(broken), PAGE_ROWS):
            some = broken[start : start + PAGE_ROWS]
            connection.execute(delete(log).where(log.c.seq.in_(some)))
            there = select(entries.c.entry_id, entries.c.collection).where(entries.c.entry_id.in_(some))
            live = {row[0]: row[1] for row in connection.execute(there)}
            again = [{"seq": seq, "entry_id": seq, "collection": live.get(seq, "")} for seq in some]
            write_log(connection, "add", [row for row in again if row["seq"] in live], now)
            write_log(connection, "delete", [row for row in again if row["seq"] not in live], now)
    highest = connection.scalar(select(func.max(log.c.seq))) or 0
    if not connection.execute(update(counter).values(value=highest)).rowcount:
        connection.execute(insert(counter), {"id": 1, "value": highest})
    vanished = connection.execute(_vanished(log.c.seq, log.c.collection)).all()
    log_deletes(connection, [(row.seq, row.collection) for row in vanished], now)
    return len(broken) + len(vanished)


def _broken(connection: Connection) -> list[int]:
    """Return the numbers of the rows to write anew: damaged, lost, or at odds with an entry that is there."""
    broken: set[int] = set(_unlogged(connection))
    last = 0
    while seqs := _next(connection, last):
        broken.update(_checked(connection, seqs)[1])
        expected = range(last + 1, seqs[-1] + 1)
        if len(expected) - len(seqs) <= LOST_AT_MOST:
            broken.update(set(expected) - set(seqs))
        last = seqs[-1]
    counted = _counted(connection)
    if last < counted <= last + LOST_AT_MOST:
        broken.update(range(last + 1, counted + 1))
    return sorted(broken)


def _next(connection: Connection, after: int) -> list[int]:
    with translated():
        query = select(log.c.seq).where(log.c.seq > after).order_by(log.c.seq).limit(PAGE_ROWS)
        return list(connection.scalars(query))


def _checked(connection: Connection, seqs: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many of some rows that follow each other have no digest, and which are damaged."""

    def rows(some: Sequence[int]) -> list[Values]:
        with translated():
            return list(values_of(connection, select(log).where(log.c.seq.between(some[0], some[-1]))))

    return verified(seqs, rows, "seq", lambda row: log_intact(row) and row["kind"] in ("add", "delete"))


def _counted(connection: Connection) -> int:
    value = connection.scalar(select(counter.c.value))
    return value if isinstance(value, int) else 0


def _vanished(*columns: Column[Any]) -> Select[Any]:
    """Select the "add" rows of entries that were never deleted and are not there."""
    deleted = select(log.c.entry_id).where(log.c.kind == "delete")
    there = select(entries.c.entry_id).where(entries.c.entry_id == log.c.seq).exists()
    return select(*columns).where(log.c.kind == "add", ~there, log.c.seq.not_in(deleted))


def _unlogged(connection: Connection) -> list[int]:
    """Return the entries whose row in the log does not say that they were added."""
    logged = select(log.c.seq).where(
        log.c.seq == entries.c.entry_id, log.c.kind == "add", log.c.entry_id == log.c.seq
    )
    return list(connection.scalars(select(entries.c.entry_id).where(~logged.exists())))
