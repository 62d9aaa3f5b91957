"""Writing the log: its lock, its sequence numbers, its rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from hmar.adapters.common.entries import new_mark
from hmar.adapters.sql.schema import counter, log
from hmar.adapters.sql.seals import sealed_log


def lock(connection: Connection) -> None:
    """Wait for the writer before us; SQLite has done so when the transaction began."""
    connection.execute(select(counter.c.value).with_for_update())


def allocate(connection: Connection, amount: int) -> range:
    """Take the next ``amount`` sequence numbers."""
    taken = update(counter).values(value=counter.c.value + amount).returning(counter.c.value)
    last = int(connection.execute(taken).scalar_one())
    return range(last - amount + 1, last + 1)


def write_log(connection: Connection, kind: str, logged: Sequence[tuple[int, int, str]], now: float) -> None:
    """Write rows of (sequence number, entry, collection), all with one new mark."""
    if not logged:
        return
    mark = new_mark()
    rows = [
        sealed_log(
            {
                "seq": seq,
                "kind": kind,
                "entry_id": entry_id,
                "collection": collection,
                "created_at": float(now),
                "mark": mark,
            }
        )
        for seq, entry_id, collection in logged
    ]
    connection.execute(insert(log), rows)
