"""The catalogue in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from hmar.adapters.common.entries import by_frame_number, check_encoded, display_order, new_mark
from hmar.adapters.common.instances import Held, check_instances
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.rows import INFO_COLUMNS, encoded_frame, entry_info, entry_row
from hmar.adapters.sql.schema import counter, entries, log
from hmar.values.codes import EncodedFrame
from hmar.values.entries import Appended, EntryInfo, LogRow, Origin, SeriesInfo

_FrameKey = tuple[str, int, str]
_Value = TypeVar("_Value", int, str)
_VALUES_AT_ONCE = 5000
"""Values in one IN list; SQLite takes 32766 parameters."""


class SqlCatalogue:
    """A :class:`hmar.ports.Catalogue` in a database. Safe between threads and between processes.

    Every writer first takes the lock on the counter row (on SQLite: on the database) and holds it until its
    commit. So sequence numbers have no gaps, their order is the order of commits, and a reader that has
    seen one has seen all smaller ones.

    Parameters
    ----------
    database : Database
        Migrated.
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def append(
        self,
        collection: str,
        frames: Sequence[EncodedFrame],
        origin: Origin,
        as_of: int | None = None,
        replaced: Collection[int] = (),
    ) -> Appended:
        """Add frames in one transaction; see :meth:`hmar.ports.Catalogue.append`."""
        wanted: dict[_FrameKey, EncodedFrame] = {}
        for encoded in frames:
            check_encoded(encoded)
            wanted.setdefault(_frame_key(encoded), encoded)
        with self._database.write() as connection:
            _lock(connection)
            self._remove(connection, collection, replaced)
            uids = sorted({encoded.info.sop_instance_uid for encoded in frames})
            check_instances(_held(connection, collection, uids), frames, as_of)
            known = _known(connection, collection, uids)
            new = [encoded for key, encoded in wanted.items() if key not in known]
            if new:
                seqs = _allocate(connection, len(new))
                rows = [entry_row(seq, collection, item, origin) for seq, item in zip(seqs, new, strict=True)]
                connection.execute(insert(entries), rows)
                self._write_log(connection, "add", collection, [(seq, seq) for seq in seqs])
        return Appended(len(new), len(frames) - len(new))

    def delete(self, collection: str, series_uid: str) -> int:
        """Delete a series, codes and all, and log it; return the number of frames deleted."""
        with self._database.write() as connection:
            _lock(connection)
            of_series = and_(entries.c.collection == collection, entries.c.series_uid == series_uid)
            return self._remove(
                connection, collection, connection.scalars(select(entries.c.entry_id).where(of_series)).all()
            )

    def _remove(self, connection: Connection, collection: str, entry_ids: Collection[int]) -> int:
        """Delete entries of a collection and log it; return how many there were."""
        gone: list[int] = []
        for ids in _parts(entry_ids):
            wanted = and_(entries.c.collection == collection, entries.c.entry_id.in_(ids))
            gone += connection.scalars(delete(entries).where(wanted).returning(entries.c.entry_id))
        if gone:
            seqs = _allocate(connection, len(gone))
            self._write_log(connection, "delete", collection, list(zip(seqs, sorted(gone), strict=True)))
        return len(gone)

    def _write_log(
        self, connection: Connection, kind: str, collection: str, logged: Sequence[tuple[int, int]]
    ) -> None:
        of_all = {"kind": kind, "collection": collection, "created_at": self._clock(), "mark": new_mark()}
        rows = [{"seq": seq, "entry_id": entry_id, **of_all} for seq, entry_id in logged]
        connection.execute(insert(log), rows)

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows in order of sequence number, none left out."""
        added = and_(log.c.kind == "add", entries.c.entry_id == log.c.entry_id)
        query = (
            select(
                log.c.seq,
                log.c.kind,
                log.c.entry_id.label("logged_id"),
                log.c.collection.label("logged_collection"),
                log.c.mark,
                *entries.columns,
            )
            .select_from(log.outerjoin(entries, added))
            .where(log.c.seq > after_seq)
            .order_by(log.c.seq)
            .limit(max(limit, 0))
        )
        with self._database.read() as connection:
            return [_log_row(row) for row in connection.execute(query)]

    def last_seq(self) -> int:
        """Return the highest sequence number committed, 0 for an empty log."""
        with self._database.read() as connection:
            return int(connection.execute(select(counter.c.value)).scalar_one())

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        """Return the entries that are live among ``entry_ids``."""
        found = []
        for ids in _parts(entry_ids):
            found += self._infos(entries.c.entry_id.in_(ids))
        return {entry.entry_id: entry for entry in found}

    def find(
        self, sop_instance_uid: str, model_fingerprint: str, collection: str | None = None
    ) -> list[EntryInfo]:
        """Return the live frames of an instance in order of frame number, then of entry; maybe none."""
        wanted = [
            entries.c.sop_instance_uid == sop_instance_uid,
            entries.c.model_fingerprint == model_fingerprint,
        ]
        if collection is not None:
            wanted.append(entries.c.collection == collection)
        return by_frame_number(self._infos(and_(*wanted)))

    def instance(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the live frames of an instance, of all models, in order of frame number, then of entry."""
        of_instance = (
            entries.c.collection == collection,
            entries.c.sop_instance_uid == sop_instance_uid,
        )
        return by_frame_number(self._infos(and_(*of_instance)))

    def series(self, model_fingerprint: str) -> list[SeriesInfo]:
        """List the series that hold live frames, in order of (collection, study, series)."""
        groups = (
            select(func.min(entries.c.entry_id).label("first_id"), func.count().label("frames"))
            .where(entries.c.model_fingerprint == model_fingerprint)
            .group_by(entries.c.collection, entries.c.study_uid, entries.c.series_uid)
            .subquery()
        )
        query = select(entries, groups.c.frames).join(groups, groups.c.first_id == entries.c.entry_id)
        with self._database.read() as connection:
            listed = [
                SeriesInfo(
                    row.study_uid, row.series_uid, row.collection, row.modality, row.body_part, row.frames
                )
                for row in connection.execute(query)
            ]
        # Sorted here, for databases differ in how they order text.
        return sorted(listed, key=lambda series: (series.collection, series.study_uid, series.series_uid))

    def frames(self, collection: str, series_uid: str, model_fingerprint: str) -> list[EntryInfo]:
        """Return the live frames of a series in display order; empty if there is none."""
        return display_order(
            self._infos(
                and_(
                    entries.c.collection == collection,
                    entries.c.series_uid == series_uid,
                    entries.c.model_fingerprint == model_fingerprint,
                )
            )
        )

    def _infos(self, wanted: ColumnElement[bool]) -> list[EntryInfo]:
        with self._database.read() as connection:
            return [entry_info(row) for row in connection.execute(select(*INFO_COLUMNS).where(wanted))]


def _lock(connection: Connection) -> None:
    """Wait for the writer before us; SQLite has done so when the transaction began."""
    connection.execute(select(counter.c.value).with_for_update())


def _allocate(connection: Connection, amount: int) -> range:
    """Take the next ``amount`` sequence numbers."""
    taken = update(counter).values(value=counter.c.value + amount).returning(counter.c.value)
    last = int(connection.execute(taken).scalar_one())
    return range(last - amount + 1, last + 1)


def _known(connection: Connection, collection: str, sop_instance_uids: Sequence[str]) -> set[_FrameKey]:
    """Return the keys of all frames of some instances."""
    known: set[_FrameKey] = set()
    for uids in _parts(sop_instance_uids):
        query = select(entries.c.sop_instance_uid, entries.c.frame_number, entries.c.model_fingerprint).where(
            entries.c.collection == collection, entries.c.sop_instance_uid.in_(uids)
        )
        known.update((row[0], row[1], row[2]) for row in connection.execute(query))
    return known


def _held(connection: Connection, collection: str, sop_instance_uids: Sequence[str]) -> list[Held]:
    """Return what is there of some instances."""
    columns = [entries.c[name] for name in Held._fields if name != "newest"]
    held: list[Held] = []
    for uids in _parts(sop_instance_uids):
        query = (
            select(*columns, func.max(entries.c.entry_id))
            .where(entries.c.collection == collection, entries.c.sop_instance_uid.in_(uids))
            .group_by(*columns)
        )
        held += map(Held._make, connection.execute(query))
    return held


def _parts(values: Collection[_Value]) -> Iterator[list[_Value]]:
    """Split values into lists that one statement can take."""
    listed = list(values)
    for start in range(0, len(listed), _VALUES_AT_ONCE):
        yield listed[start : start + _VALUES_AT_ONCE]


def _frame_key(encoded: EncodedFrame) -> _FrameKey:
    return encoded.info.sop_instance_uid, encoded.info.frame_number, encoded.model_fingerprint


def _log_row(row: Row[Any]) -> LogRow:
    encoded = None if row.global_code is None else encoded_frame(row)
    return LogRow(row.seq, row.kind, row.logged_id, row.logged_collection, row.mark, encoded)
