"""New labels for live frames: rows never change, so that each gets a new one, and the log says so."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from hmar.adapters.sql.database import UNREADABLE, translated
from hmar.adapters.sql.deleting import selected
from hmar.adapters.sql.log_rows import allocate, lock, log_deletes, write_log
from hmar.adapters.sql.reading import Values, unreadable_among, values_of
from hmar.adapters.sql.schema import damaged_rows, entries
from hmar.adapters.sql.seals import entry_intact, sealed_entry
from hmar.values.deletion import Collections, FrameName, Selector

_DIGESTS = frozenset({"code_digest", "row_digest"})


def relabel_some(
    connection: Connection, wanted: ColumnElement[bool], label: str | None, limit: int, now: float
) -> tuple[set[FrameName], int]:
    """Give entries a label, oldest first, within the caller's transaction.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes; it takes the writers' lock.
    wanted : condition
        On entries.
    label : str or None
        None takes the label away.
    limit : int
        Entries to look at, at most.
    now : float
        Time to log.

    Returns
    -------
    tuple of set of FrameName, int
        The frames that have a new label, and the last entry looked at, 0 where there are no more. Damaged
        ones stay as they are.
    """
    lock(connection)
    differing = select(entries.c.entry_id).where(wanted, entries.c.label.is_distinct_from(label))
    looked_at = connection.scalars(differing.order_by(entries.c.entry_id).limit(limit)).all()
    intact = [row for row in _rows(connection, looked_at) if entry_intact(row)]
    ids = [row["entry_id"] for row in intact]
    if ids:
        connection.execute(delete(entries).where(entries.c.entry_id.in_(ids)))
        log_deletes(connection, [(row["entry_id"], row["collection"]) for row in intact], now)
        seqs = allocate(connection, len(intact))
        new = [_relabelled(row, seq, label) for seq, row in zip(seqs, intact, strict=True)]
        connection.execute(insert(entries), new)
        logged = [
            {"seq": row["entry_id"], "entry_id": row["entry_id"], "collection": row["collection"]}
            for row in new
        ]
        write_log(connection, "add", logged, now)
    named = {FrameName(*(row[name] for name in FrameName._fields)) for row in intact}
    return named, looked_at[-1] if len(looked_at) == limit else 0


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


def relabel_damaged(
    connection: Connection, selector: Selector, label: str | None, collection: Collections
) -> None:
    """Give the label to frames that were taken out, with which they are indexed again.

    The caller holds the lock on the log, as who takes frames out does: in another order each could wait for
    the other.
    """
    of_rows = selected(selector, collection, damaged_rows)
    connection.execute(update(damaged_rows).where(of_rows).values(label=label))


def _relabelled(row: Values, entry_id: int, label: str | None) -> Values:
    kept = {name: value for name, value in row.items() if name not in _DIGESTS}
    return sealed_entry({**kept, "entry_id": entry_id, "label": label})
