"""Damaged entries: taken out of the catalogue with their names kept, until their frames are indexed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from hmar.adapters.sql.database import UNREADABLE, translated
from hmar.adapters.sql.deleting import forget_told, of_collections, selected
from hmar.adapters.sql.log_rows import log_deletes
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.reading import values_of
from hmar.adapters.sql.rows import INFO_COLUMNS
from hmar.adapters.sql.schema import damaged_rows, entries, items, jobs, log
from hmar.adapters.sql.seals import info_intact, log_intact
from hmar.adapters.sql.slabs import StackName, settle_stack
from hmar.values.damage import DamagedRow
from hmar.values.deletion import Collections, Selector
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState

_KEPT = [column for column in damaged_rows.columns if column.name not in ("entry_id", "found_at")]
_FrameKey = tuple[str, int, str]
_File = tuple[str, str, str]
"""Collection, source and reference."""
_PatientFrame = tuple[_File, int, str, str | None]
"""File, frame number, model and patient."""
_IN_ARCHIVE = frozenset({ItemState.INDEXED, ItemState.PARTIAL, ItemState.UNCHANGED})
_WAITING = select(damaged_rows).where(  # asked with every file: a statement that stays is made ready once
    damaged_rows.c.collection == bindparam("collection"),
    damaged_rows.c.sop_instance_uid.in_(bindparam("uids", expanding=True)),
)


def take_out(connection: Connection, entry_ids: Sequence[int], now: float) -> int:
    """Move damaged entries to the table of damaged rows and log that they are gone; return how many.

    The label kept is that of the job that indexed the file, where the row's own may be what is damaged.
    Another slice takes over from one that stood for a slab.

    The caller holds the lock on the log.
    """
    there = [entry_id for entry_id in sorted(entry_ids) if _is_there(connection, entry_id)]
    if not there:
        return 0
    named = [_names(connection, entry_id) | {"entry_id": entry_id, "found_at": now} for entry_id in there]
    labels = _labels(connection, [row["origin_reference"] for row in named])
    for row in named:
        file = row["collection"], row["origin_source"], row["origin_reference"]
        if file in labels and not _labelled_since(connection, row["entry_id"], labels[file]):
            row["label"] = labels[file]
    connection.execute(insert(damaged_rows), named)
    stacks = {
        StackName(row["collection"], row["series_uid"], row["model_fingerprint"], stack)
        for row in named
        if isinstance(stack := _value(connection, row["entry_id"], "stack"), str)
    }
    for entry_id in there:
        connection.execute(delete(entries).where(entries.c.entry_id == entry_id))
    log_deletes(connection, [(row["entry_id"], row["collection"]) for row in named], now)
    for stack in sorted(stacks):
        settle_stack(connection, stack, now)
    return len(there)


def settle(connection: Connection, collection: str, added: Collection[_FrameKey]) -> None:
    """Forget the damaged rows of frames that were indexed again."""
    back = []
    for uids in parts(sorted({uid for uid, _, _ in added})):
        back += [
            row.entry_id
            for row in connection.execute(_WAITING, {"collection": collection, "uids": uids})
            if (row.sop_instance_uid, row.frame_number, row.model_fingerprint) in added
        ]
    if back:
        connection.execute(delete(damaged_rows).where(damaged_rows.c.entry_id.in_(back)))


def forget_selected(connection: Connection, selector: Selector, collection: Collections) -> int:
    """Forget the damaged rows of what is deleted, for it shall not come back; return how many."""
    origin = [damaged_rows.c[name] for name in ("collection", "origin_source", "origin_reference")]
    wanted = delete(damaged_rows).where(selected(selector, collection, damaged_rows))
    gone = connection.execute(wanted.returning(*origin)).all()
    forget_told(connection, gone)
    return len(gone)


def forget_files(connection: Connection, references: Sequence[str], collection: Collections) -> None:
    """Forget the damaged rows of files that frames are deleted of."""
    same = damaged_rows.c.origin_reference.in_(references)
    connection.execute(delete(damaged_rows).where(same, of_collections(damaged_rows, collection)))


def waiting_rows(connection: Connection) -> list[DamagedRow]:
    """Return the frames that were taken out and are not back, oldest first.

    Their patient is the one that was given with the file, where one was: the row's own may be what is
    damaged. Where several were, side by side, it is the row's own, if that is one of them; nobody knows
    otherwise.
    """
    rows = connection.execute(select(damaged_rows).order_by(damaged_rows.c.entry_id)).all()
    references = [row.origin_reference for row in rows]
    given = _given(connection, references)
    there = _there(connection, sorted({reference for _, _, reference in given}))
    patients = {row.entry_id: _patient(row, given[_file(row)], there) for row in rows if _file(row) in given}
    return [
        DamagedRow(
            entry_id=row.entry_id,
            collection=row.collection,
            study_uid=row.study_uid,
            series_uid=row.series_uid,
            sop_instance_uid=row.sop_instance_uid,
            frame_number=row.frame_number,
            label=row.label,
            patient_key=patients.get(row.entry_id),
            patient_unknown=patients.get(row.entry_id, "") is None,
            model_fingerprint=row.model_fingerprint,
            origin=Origin(row.origin_source, row.origin_reference),
        )
        for row in rows
    ]


def _file(row: Row[Any]) -> _File:
    return row.collection, row.origin_source, row.origin_reference


def _patient(row: Row[Any], given: Collection[str], there: Collection[_PatientFrame]) -> str | None:
    """Return the patient of a row, one of those that were given with its file; None if that cannot be told.

    Where the frame of the only one is there, the row's was indexed before a patient was given.
    """
    if row.patient_key in given:
        return str(row.patient_key)
    [*others] = given
    alone = len(others) == 1 and (_file(row), row.frame_number, row.model_fingerprint, others[0]) not in there
    return others[0] if alone else None


def _there(connection: Connection, references: Sequence[str]) -> set[_PatientFrame]:
    """Return the live frames of some files, with their patients."""
    columns = [entries.c[name] for name in ("frame_number", "model_fingerprint", "patient_key")]
    origin = [entries.c[name] for name in ("collection", "origin_source", "origin_reference")]
    found: set[_PatientFrame] = set()
    for some in parts(references):
        query = select(*origin, *columns).where(entries.c.origin_reference.in_(some))
        for collection, source, reference, number, model, key in connection.execute(query):
            found.add(((collection, source, reference), number, model, key))
    return found


def _given(connection: Connection, references: Sequence[str]) -> dict[_File, set[str]]:
    """Return the patients that files were indexed with because they were given; only files that have any."""
    patients: defaultdict[_File, set[str]] = defaultdict(set)
    for some in parts(references):
        query = (
            select(jobs.c.collection, jobs.c.origin_source, items.c.reference, items.c.patient_key)
            .join(jobs, jobs.c.job_id == items.c.job_id)
            .where(items.c.state.in_(sorted(_IN_ARCHIVE)))
            .where(items.c.patient_key.is_not(None))
            .where(items.c.reference.in_(some))
            .distinct()
        )
        for collection, source, reference, patient_key in connection.execute(query):
            patients[collection, source, reference].add(patient_key)
    return dict(patients)


def _labelled_since(connection: Connection, entry_id: int, label: str | None) -> bool:
    """Return whether a damaged row has another label than its job gave, and that is not the damage."""
    try:
        with translated():
            [row] = values_of(connection, select(*INFO_COLUMNS).where(entries.c.entry_id == entry_id))
    except UNREADABLE:
        return False
    return not info_intact({**row, "label": label})


def _labels(connection: Connection, references: Sequence[str]) -> dict[_File, str | None]:
    """Return the label that each file was first indexed with, by collection, source and reference."""
    labels: dict[_File, str | None] = {}
    for some in parts(references):
        query = (
            select(jobs.c.collection, jobs.c.origin_source, items.c.reference, jobs.c.label)
            .join(jobs, jobs.c.job_id == items.c.job_id)
            .where(items.c.state == ItemState.INDEXED)
            .where(items.c.reference.in_(some))
            .order_by(items.c.item_id)
        )
        for collection, source, reference, label in connection.execute(query):
            labels.setdefault((collection, source, reference), label)
    return labels


def _is_there(connection: Connection, entry_id: int) -> bool:
    return connection.scalar(select(entries.c.entry_id).where(entries.c.entry_id == entry_id)) is not None


def _names(connection: Connection, entry_id: int) -> dict[str, Any]:
    """Return what is kept of a row, each column read by itself: one of them may be unreadable."""
    kept: dict[str, Any] = {}
    for column in _KEPT:
        value = _value(connection, entry_id, column.name)
        wrong = not isinstance(value, column.type.python_type)
        kept[column.name] = _NOTHING[column.type.python_type] if wrong and not column.nullable else value
        if wrong and column.nullable:
            kept[column.name] = None
    if (logged := _logged_collection(connection, entry_id)) is not None:
        kept["collection"] = logged
    return kept


_NOTHING: dict[type, Any] = {str: "", int: 0}


def _value(connection: Connection, entry_id: int, name: str) -> Any:
    try:
        with translated():
            return connection.scalar(select(entries.c[name]).where(entries.c.entry_id == entry_id))
    except UNREADABLE:
        return None


def _logged_collection(connection: Connection, entry_id: int) -> str | None:
    """Return the collection that the log says, which has a digest of its own."""
    try:
        with translated():
            row = connection.execute(select(log).where(log.c.seq == entry_id)).mappings().first()
    except UNREADABLE:
        return None
    return str(row["collection"]) if row is not None and log_intact(row) else None  # type: ignore[arg-type]
