"""Deleting entries in SQL: the rows go, and the log says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, and_, delete, select

from hmar.adapters.sql.log_rows import allocate, lock, write_log
from hmar.adapters.sql.schema import damaged_rows, entries
from hmar.values.deletion import Level, Selector
from hmar.values.entries import Origin

VALUES_AT_ONCE = 5000
"""Values in one IN list; SQLite takes 32766 parameters."""
NAME_COLUMNS = (entries.c.study_uid, entries.c.series_uid, entries.c.sop_instance_uid)
_COLUMNS: dict[Level, Column[Any]] = {
    "instance": entries.c.sop_instance_uid,
    "series": entries.c.series_uid,
    "study": entries.c.study_uid,
    "patient": entries.c.patient_key,
}


def level_column(level: Level) -> str:
    """Return the name of the column that holds what a level is named by."""
    return str(_COLUMNS[level].name)


def selected(selector: Selector, collection: str | None) -> ColumnElement[bool]:
    """Return the condition on entries that a selector stands for; ``collection`` None means all."""
    of_level = _COLUMNS[selector.level] == selector.value
    return of_level if collection is None else and_(of_level, entries.c.collection == collection)


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
    if gone:
        numbered = zip(allocate(connection, len(gone)), gone, strict=True)
        rows = [{"seq": seq, "entry_id": row.entry_id, "collection": row.collection} for seq, row in numbered]
        write_log(connection, "delete", rows, now)
    return gone


def referred(connection: Connection, origins: Collection[Origin]) -> set[Origin]:
    """Return those of some origins that an entry comes from, be it a damaged one."""
    references = sorted({origin.reference for origin in origins})
    found: set[Origin] = set()
    for start in range(0, len(references), VALUES_AT_ONCE):
        some = references[start : start + VALUES_AT_ONCE]
        for table in (entries, damaged_rows):
            columns = (table.c.origin_source, table.c.origin_reference)
            query = select(*columns).where(table.c.origin_reference.in_(some)).distinct()
            found.update(Origin(*row) for row in connection.execute(query))
    return found & set(origins)
