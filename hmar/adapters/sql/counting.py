"""What collections hold, counted by the database; rows are not verified for it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, and_, case, func, select

from hmar.adapters.sql.deleting import of_collections
from hmar.adapters.sql.rows import WINDOW_ID_BYTES
from hmar.adapters.sql.schema import entries, log
from hmar.adapters.sql.slabs import slab_sizes
from hmar.values.codes import CODE_BYTES
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections

WINDOW_BYTES = CODE_BYTES + WINDOW_ID_BYTES
"""Of the code of a window and its id."""


def count_collections(
    connection: Connection, model_fingerprint: str, collection: Collections
) -> list[CollectionInfo]:
    """Return what the frames of one model are in each of some collections, in order of name."""
    wanted = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
    name = entries.c.collection
    windows = func.length(entries.c.window_codes)
    searched = case((entries.c.held_back.is_(None), windows), else_=0)
    # Sizes of codes are in the rows alone; the rest is asked of indexes, which are far smaller.
    totals = (
        select(
            name,
            func.count().label("frames"),
            func.sum(windows).label("window_bytes"),
            func.max(entries.c.entry_id).label("newest"),
            func.sum(searched).label("searched_bytes"),
            func.count(entries.c.held_back).label("held_back"),
        )
        .where(wanted)
        .group_by(name)
    )
    listed = select(name, entries.c.study_uid, entries.c.series_uid).where(wanted).distinct().subquery()
    by_collection = select(
        listed.c.collection,
        func.count(listed.c.series_uid.distinct()).label("series"),
        func.count(listed.c.study_uid.distinct()).label("studies"),
    ).group_by(listed.c.collection)
    known = entries.c.patient_key.is_not(None)
    people = select(name, entries.c.patient_key).where(wanted, known).distinct().subquery()
    patients = select(people.c.collection, func.count()).group_by(people.c.collection)
    by_label = (
        select(name, entries.c.label, func.count())
        .where(wanted, entries.c.label.is_not(None))
        .group_by(name, entries.c.label)
    )
    rows = connection.execute(totals).all()
    named = {row.collection: row for row in connection.execute(by_collection)}
    patients_of: dict[str, int] = {row[0]: row[1] for row in connection.execute(patients)}
    labels: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for of, label, frames in connection.execute(by_label):
        labels[of][label] = frames
    times = select(log.c.seq, log.c.created_at).where(log.c.seq.in_([row.newest for row in rows]))
    added_at: dict[int, float] = {row.seq: row.created_at for row in connection.execute(times)}
    sizes = slab_sizes(connection)
    counted = [
        CollectionInfo(
            row.collection,
            row.frames,
            named[row.collection].series,
            named[row.collection].studies,
            patients_of.get(row.collection, 0),
            dict(sorted(labels[row.collection].items())),
            CODE_BYTES * row.frames + int(row.window_bytes) * WINDOW_BYTES // CODE_BYTES,
            added_at.get(row.newest),
            int(row.searched_bytes) // CODE_BYTES,
            row.held_back,
            sizes.get(row.collection),
        )
        for row in rows
    ]
    # Sorted here, for databases differ in how they order text.
    return sorted(counted, key=lambda info: info.collection)
