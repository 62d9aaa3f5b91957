"""What collections hold, counted by the database; rows are not verified for it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, and_, case, func, select

from hmar.adapters.sql.deleting import of_collections
from hmar.adapters.sql.rows import WINDOW_ID_BYTES
from hmar.adapters.sql.schema import entries, log
from hmar.adapters.sql.slabs import slab_sizes
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections


def count_collections(
    connection: Connection, model_fingerprint: str, collection: Collections
) -> list[CollectionInfo]:
    """Return what the frames of one model are in each of some collections, in order of name."""
    wanted = and_(entries.c.model_fingerprint == model_fingerprint, of_collections(entries, collection))
    codes = ("global_code", "window_codes", "window_ids")
    totals = (
        select(
            entries.c.collection,
            func.count().label("frames"),
            func.count(entries.c.series_uid.distinct()).label("series"),
            func.count(entries.c.study_uid.distinct()).label("studies"),
            func.count(entries.c.patient_key.distinct()).label("patients"),
            func.sum(sum(func.length(entries.c[name]) for name in codes)).label("code_bytes"),
            func.max(entries.c.entry_id).label("newest"),
            func.sum(case((entries.c.held_back.is_(None), func.length(entries.c.window_ids)), else_=0)).label(
                "id_bytes"
            ),
            func.count(entries.c.held_back).label("held_back"),
        )
        .where(wanted)
        .group_by(entries.c.collection)
    )
    by_label = (
        select(entries.c.collection, entries.c.label, func.count())
        .where(wanted, entries.c.label.is_not(None))
        .group_by(entries.c.collection, entries.c.label)
    )
    rows = connection.execute(totals).all()
    labels: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, label, frames in connection.execute(by_label):
        labels[name][label] = frames
    times = select(log.c.seq, log.c.created_at).where(log.c.seq.in_([row.newest for row in rows]))
    added_at: dict[int, float] = {row.seq: row.created_at for row in connection.execute(times)}
    sizes = slab_sizes(connection)
    counted = [
        CollectionInfo(
            row.collection,
            row.frames,
            row.series,
            row.studies,
            row.patients,
            dict(sorted(labels[row.collection].items())),
            int(row.code_bytes),
            added_at.get(row.newest),
            int(row.id_bytes) // WINDOW_ID_BYTES,
            row.held_back,
            sizes.get(row.collection),
        )
        for row in rows
    ]
    # Sorted here, for databases differ in how they order text.
    return sorted(counted, key=lambda info: info.collection)
