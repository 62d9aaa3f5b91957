"""Deleting entries in SQL: the rows go, and the log says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    Update,
    and_,
    delete,
    exists,
    select,
    true,
    update,
)

from hmar.adapters.sql.ending import give_up
from hmar.adapters.sql.log_rows import lock, log_deletes
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import damaged_rows, entries, items, jobs
from hmar.uploads import UPLOAD
from hmar.values.deletion import Collections, FrameName, Selector
from hmar.values.entries import Origin
from hmar.values.jobs import OPEN_ITEM_STATES

NAME_COLUMNS = tuple(entries.c[name] for name in FrameName._fields)
PATIENT_DELETED = "The patient was deleted before this file was indexed."
"""Why an open item is given up."""


def selected(selector: Selector, collection: Collections, table: Table = entries) -> ColumnElement[bool]:
    """Return the condition on the rows of a table that a selector stands for, in some collections."""
    return and_(table.c[selector.field] == selector.value, of_collections(table, collection))


def of_collections(table: Table, collection: Collections) -> ColumnElement[bool]:
    """Return the condition on the rows of a table that they are of some collections."""
    if collection is None:
        return true()
    if isinstance(collection, str):
        return table.c.collection == collection
    return table.c.collection.in_(sorted(collection))


def delete_selected(
    connection: Connection, wanted: ColumnElement[bool], limit: int, now: float
) -> list[Row[Any]]:
    """Delete entries, oldest first, and log it, within the caller's transaction.

    The patients that were given with their files are forgotten, too, and the names that files were sent by.
    The caller has slabs settled after the last of them; see :func:`hmar.adapters.sql.slabs.settle_after`.

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
        Of each entry deleted its id, names, origin, and what tells its slab.
    """
    lock(connection)
    oldest = select(entries.c.entry_id).where(wanted).order_by(entries.c.entry_id).limit(limit)
    told = (
        entries.c.entry_id,
        *NAME_COLUMNS,
        entries.c.origin_source,
        entries.c.origin_reference,
        *(entries.c[name] for name in ("model_fingerprint", "stack", "along_mm")),
    )
    deleted = delete(entries).where(entries.c.entry_id.in_(oldest)).returning(*told)
    gone: list[Row[Any]] = sorted(connection.execute(deleted), key=lambda row: row.entry_id)
    log_deletes(connection, [(row.entry_id, row.collection) for row in gone], now)
    forget_told(connection, gone)
    return gone


def forget_patient(connection: Connection, patient_key: str, collection: Collections, now: float) -> int:
    """Forget that a patient who is deleted was given with files, be they indexed or not; return how many.

    Those that are still to be indexed are given up: the patient would come back with them.
    """
    in_collection = of_collections(jobs, collection)
    of_patient, of_job = items.c.patient_key == patient_key, _of_job(in_collection)
    given_up = give_up(connection, and_(of_patient, of_job), PATIENT_DELETED, now)
    return given_up + connection.execute(_forgetting(of_patient, in_collection)).rowcount


def forget_told(connection: Connection, gone: Sequence[Row[Any]]) -> None:
    """Forget what was told with the files of entries that are gone: patients, and names of sent files."""
    _forget_given(connection, gone)
    _forget_names(connection, gone)


def _forget_given(connection: Connection, gone: Sequence[Row[Any]]) -> None:
    """Forget the patients that were given with the files of some entries, but those that entries are left of.

    One file may have been indexed for several patients, side by side.
    """
    files: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in gone:
        files[row.collection, row.origin_source].add(row.origin_reference)
    for (collection, source), references in files.items():
        of_job = and_(jobs.c.collection == collection, jobs.c.origin_source == source)
        for some in parts(sorted(references)):
            left = exists().where(
                entries.c.origin_reference == items.c.reference,
                entries.c.origin_source == source,
                entries.c.collection == collection,
                entries.c.patient_key == items.c.patient_key,
            )
            connection.execute(_forgetting(and_(items.c.reference.in_(some), ~left), of_job))


def _forget_names(connection: Connection, gone: Sequence[Row[Any]]) -> None:
    """Forget the names of the sent files of some entries, but of those that entries are left of."""
    sent: defaultdict[str, set[str]] = defaultdict(set)
    for row in gone:
        if row.origin_source == UPLOAD:
            sent[row.collection].add(row.origin_reference)
    for collection, references in sent.items():
        of_job = and_(jobs.c.collection == collection, jobs.c.origin_source == UPLOAD)
        for some in parts(sorted(references)):
            left = exists().where(
                entries.c.origin_reference == items.c.reference,
                entries.c.origin_source == UPLOAD,
                entries.c.collection == collection,
            )
            named = and_(items.c.reference.in_(some), items.c.sent_name.is_not(None))
            forgotten = update(items).where(named, ~left, _of_job(of_job)).values(sent_name=None)
            connection.execute(forgotten)


def _forgetting(wanted: ColumnElement[bool], of_job: ColumnElement[bool]) -> Update:
    """Return the statement that forgets the patients of items; open ones are still to be indexed with theirs.

    Conditions on state and job are such that no index helps with them: whole jobs would be gone through.
    """
    return (
        update(items)
        .where(wanted, items.c.patient_key.is_not(None))
        .where(items.c.state.not_in(sorted(OPEN_ITEM_STATES)))
        .where(_of_job(of_job))
        .values(patient_key=None)
    )


def _of_job(wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on items that a condition on their jobs stands for."""
    return exists().where(jobs.c.job_id == items.c.job_id, wanted)


def referred(connection: Connection, origins: Collection[Origin]) -> set[Origin]:
    """Return those of some origins that an entry comes from, be it a damaged one."""
    found: set[Origin] = set()
    for some in parts(sorted({origin.reference for origin in origins})):
        for table in (entries, damaged_rows):
            columns = (table.c.origin_source, table.c.origin_reference)
            query = select(*columns).where(table.c.origin_reference.in_(some)).distinct()
            found.update(Origin(*row) for row in connection.execute(query))
    return found & set(origins)
