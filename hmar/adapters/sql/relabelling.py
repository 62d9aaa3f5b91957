"""New labels for live frames: rows never change, so that each gets a new one, and the log says so."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, update

from hmar.adapters.sql.deleting import selected
from hmar.adapters.sql.log_rows import lock
from hmar.adapters.sql.rewriting import rewrite
from hmar.adapters.sql.schema import damaged_rows, entries
from hmar.values.deletion import Collections, FrameName, Selector


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
    rewritten = rewrite(connection, looked_at, lambda _: {"label": label}, now)
    named = {FrameName(*(row[name] for name in FrameName._fields)) for row in rewritten}
    return named, looked_at[-1] if len(looked_at) == limit else 0


def relabel_damaged(
    connection: Connection, selector: Selector, label: str | None, collection: Collections
) -> None:
    """Give the label to frames that were taken out, with which they are indexed again.

    The caller holds the lock on the log, as who takes frames out does: in another order each could wait for
    the other.
    """
    of_rows = selected(selector, collection, damaged_rows)
    connection.execute(update(damaged_rows).where(of_rows).values(label=label))
