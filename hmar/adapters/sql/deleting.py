"""Deleting entries in SQL: the rows go, and the log says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, select

from hmar.adapters.sql.log_rows import lock, log_deletes
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import damaged_rows, entries
from hmar.values.deletion import Selector
from hmar.values.entries import Origin

NAME_COLUMNS = (entries.c.study_uid, entries.c.series_uid, entries.c.sop_instance_uid)


def selected(selector: Selector, collection: str | None, table: Table = entries) -> ColumnElement[bool]:
    """Return the condition on the rows of a table that a selector stands for.

    ``collection`` None means all.
    """
    of_level = table.c[selector.field] == selector.value
    return of_level if collection is None else and_(of_level, table.c.collection == collection)


def delete_selected(
    connection: Connection, wanted: ColumnElement[bool], limit: int, now: float
) -> list[Row[Any]]:
    """Delete entries, oldest first, and log it, within the caller's transaction.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes; it takes the writers' lock.
    wanted : condition
        On entries; see :func:`selected`.
    limit : int
        Entries to delete at most.
    now : float
        Time to log.

    Returns
    -------
    list of Row
        Of each entry deleted its id, names, collection and origin.
    """
    lock(connection)
    oldest = select(entries.c.entry_id).where(wanted).order_by(entries.c.entry_id).limit(limit)
    told = (
        entries.c.entry_id,
        entries.c.collection,
        *NAME_COLUMNS,
        entries.c.origin_source,
        entries.c.origin_reference,
    )
    deleted = delete(entries).where(entries.c.entry_id.in_(oldest)).returning(*told)
    gone: list[Row[Any]] = sorted(connection.execute(deleted), key=lambda row: row.entry_id)
    log_deletes(connection, [(row.entry_id, row.collection) for row in gone], now)
    return gone


def referred(connection: Connection, origins: Collection[Origin]) -> set[Origin]:
    """Return those of some origins that an entry comes from, be it a damaged one."""
    found: set[Origin] = set()
    for some in parts(sorted({origin.reference for origin in origins})):
        for table in (entries, damaged_rows):
            columns = (table.c.origin_source, table.c.origin_reference)
            query = select(*columns).where(table.c.origin_reference.in_(some)).distinct()
            found.update(Origin(*row) for row in connection.execute(query))
    return found & set(origins)
