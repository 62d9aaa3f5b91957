"""New rows in the place of live ones: a row never changes, and the log says that another one came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, insert, select

from hmar.adapters.sql.database import UNREADABLE, translated
from hmar.adapters.sql.log_rows import allocate, log_deletes, write_log
from hmar.adapters.sql.reading import Values, unreadable_among, values_of
from hmar.adapters.sql.schema import entries
from hmar.adapters.sql.seals import entry_intact, sealed_entry

_DIGESTS = frozenset({"code_digest", "row_digest"})


def rewrite(
    connection: Connection, ids: Sequence[int], changed: Callable[[Values], Values], now: float
) -> list[Values]:
    """Give entries new rows, and log it.

    Parameters
    ----------
    connection : Connection
        In a transaction that holds the writers' lock.
    ids : sequence of int
        Entries, as many as may be in memory with their codes.
    changed : callable
        Given a row as it was, returns the columns that differ in the new one.
    now : float
        Time to log.

    Returns
    -------
    list of dict
        The rows that were replaced, oldest first. Damaged ones stay as they are.
    """
    old = [row for row in _rows(connection, ids) if entry_intact(row)]
    if not old:
        return []
    connection.execute(delete(entries).where(entries.c.entry_id.in_([row["entry_id"] for row in old])))
    log_deletes(connection, [(row["entry_id"], row["collection"]) for row in old], now)
    new = [
        sealed_entry(
            {name: value for name, value in row.items() if name not in _DIGESTS}
            | {"entry_id": seq, **changed(row)}
        )
        for seq, row in zip(allocate(connection, len(old)), old, strict=True)
    ]
    connection.execute(insert(entries), new)
    logged = [
        {"seq": row["entry_id"], "entry_id": row["entry_id"], "collection": row["collection"]} for row in new
    ]
    write_log(connection, "add", logged, now)
    return old


def _rows(connection: Connection, ids: Sequence[int]) -> list[Values]:
    """Return the whole rows of some entries, as far as they can be read."""
    rows: list[Values] = []

    def read(some: Sequence[int]) -> None:
        with translated():
            rows.extend(values_of(connection, select(entries).where(entries.c.entry_id.in_(some))))

    try:
        read(ids)
    except UNREADABLE:
        rows.clear()
        unreadable_among(ids, lambda entry_id: read([entry_id]))
    return sorted(rows, key=lambda row: int(row["entry_id"]))
