"""Writing to the log: the writers' lock, the next sequence numbers, and rows of one mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update

from hmar.adapters.common.entries import new_mark
from hmar.adapters.sql.schema import counter, log
from hmar.adapters.sql.seals import sealed_log

_LOCK = select(counter.c.value).with_for_update()
_TAKE = update(counter).values(value=counter.c.value + bindparam("amount")).returning(counter.c.value)


def lock(connection: Connection) -> None:
    """Wait for the writer before us; SQLite has done so when the transaction began."""
    connection.execute(_LOCK)


def allocate(connection: Connection, amount: int) -> range:
    """Take the next ``amount`` sequence numbers; the transaction holds the lock."""
    last = int(connection.execute(_TAKE, {"amount": amount}).scalar_one())
    return range(last - amount + 1, last + 1)


def without_delete(connection: Connection, entry_ids: Sequence[int]) -> list[int]:
    """Return those of some entries that the log has no delete of."""
    # Written out, not as a parameter: the index is of these rows alone.
    deletes = log.c.kind == literal_column("'delete'")
    query = select(log.c.entry_id).where(deletes, log.c.entry_id.in_(entry_ids))
    deleted = set(connection.scalars(query)) if entry_ids else set()
    return [entry_id for entry_id in entry_ids if entry_id not in deleted]


def log_deletes(connection: Connection, gone: Sequence[tuple[int, str]], now: float) -> None:
    """Log that entries are gone: the id and the collection of each."""
    if gone:
        numbered = zip(allocate(connection, len(gone)), gone, strict=True)
        rows = [
            {"seq": seq, "entry_id": entry_id, "collection": collection}
            for seq, (entry_id, collection) in numbered
        ]
        write_log(connection, "delete", rows, now)


def write_log(connection: Connection, kind: str, rows: Sequence[dict[str, Any]], now: float) -> None:
    """Write rows of the log, each with its ``seq``, ``entry_id`` and ``collection``."""
    of_all = {"kind": kind, "created_at": float(now), "mark": new_mark()}
    if rows:
        connection.execute(insert(log), [sealed_log({**row, **of_all}) for row in rows])
