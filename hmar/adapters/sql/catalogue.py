"""The catalogue in SQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select

from hmar.adapters.common.entries import by_frame_number, check_encoded, display_order
from hmar.adapters.common.instances import Held, check_instances
from hmar.adapters.sql.changes import read_changes
from hmar.adapters.sql.counting import count_collections
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import (
    NAME_COLUMNS,
    delete_selected,
    forget_patient,
    of_collections,
    referred,
    selected,
)
from hmar.adapters.sql.feedback import forget_judgements
from hmar.adapters.sql.listing import Lister
from hmar.adapters.sql.log_rows import allocate, lock, write_log
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.patients import patient_keys, patients_page
from hmar.adapters.sql.quarantine import forget_files, forget_selected, settle, take_out
from hmar.adapters.sql.reading import BY_ID, DamageReport, InfoReader, infos_where
from hmar.adapters.sql.relabelling import relabel_damaged, relabel_some
from hmar.adapters.sql.rows import entry_row
from hmar.adapters.sql.schema import counter, entries
from hmar.adapters.sql.seals import sealed_entry
from hmar.adapters.sql.slabs import hold_back, settle_after, settle_before
from hmar.adapters.sql.tail import LogReader
from hmar.values.changes import Changes
from hmar.values.codes import EncodedFrame
from hmar.values.collections import CollectionInfo
from hmar.values.deletion import Collections, Deleted, Extent, FrameName, Selector, extent_of
from hmar.values.entries import Appended, EntryInfo, LogRow, Origin, SeriesInfo
from hmar.values.listed_patients import PatientsPage
from hmar.values.studies import StudiesPage
from hmar.values.wanted_studies import ALL_STUDIES, WantedStudies

_FrameKey = tuple[str, int, str]
_log = logging.getLogger(__name__)
DELETED_AT_ONCE = 1000
"""Frames deleted in one transaction: other writers wait for a fraction of a second."""
RELABELLED_AT_ONCE = 500
"""Frames relabelled in one transaction, which reads and writes their codes."""

_OF_INSTANCE = infos_where(
    entries.c.sop_instance_uid == bindparam("uid"), entries.c.model_fingerprint == bindparam("model")
)


class SqlCatalogue:
    """A :class:`hmar.ports.Catalogue` in a database. Safe between threads and between processes.

    Every writer first takes the lock on the counter row (on SQLite: on the database) and holds it until its
    commit. So sequence numbers have no gaps, their order is the order of commits, and a reader that has
    seen one has seen all smaller ones.

    Every row that is read is verified. One that is not what was written is left out and logged once; a frame
    that is appended takes the place of its damaged row.

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
        self._report = DamageReport()
        self._reader = InfoReader(database, self._report)
        self._lister = Lister(database, self._reader)
        self._log = LogReader(database, self._report)

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
            lock(connection)
            self._remove(connection, collection, replaced)
            known = _known(connection, collection, wanted)
            intact = self._intact(connection, list(known.values()))
            damaged = [entry_id for entry_id in known.values() if entry_id not in intact]
            take_out(connection, damaged, self._clock())
            uids = sorted({encoded.info.sop_instance_uid for encoded in frames})
            check_instances(_held(connection, collection, uids), frames, as_of)
            new = {key: item for key, item in wanted.items() if known.get(key) not in intact}
            if new:
                seqs = allocate(connection, len(new))
                rows = [
                    entry_row(seq, collection, item, origin)
                    for seq, item in zip(seqs, new.values(), strict=True)
                ]
                changed = settle_before(connection, rows)
                connection.execute(insert(entries), list(map(sealed_entry, rows)))
                logged = [{"seq": seq, "entry_id": seq, "collection": collection} for seq in seqs]
                write_log(connection, "add", logged, self._clock())
                hold_back(connection, changed, self._clock())
                settle(connection, collection, new)
        if replaced:
            self._database.empty_write_ahead_log(wait_ms=0)
        return Appended(len(new), len(frames) - len(new))

    def _intact(self, connection: Connection, entry_ids: Sequence[int]) -> set[int]:
        intact: set[int] = set()
        for ids in parts(entry_ids):
            intact.update(entry.entry_id for entry in self._reader.infos_in(connection, BY_ID, {"ids": ids}))
        return intact

    def _remove(self, connection: Connection, collection: str, entry_ids: Collection[int]) -> None:
        gone: list[Row[Any]] = []
        for ids in parts(entry_ids):
            wanted = and_(entries.c.collection == collection, entries.c.entry_id.in_(ids))
            for uid in connection.scalars(select(entries.c.sop_instance_uid).where(wanted).distinct()).all():
                forget_judgements(connection, Selector("instance", uid), collection)
            gone += delete_selected(connection, wanted, len(ids), self._clock())
        # Before all are gone, some would get new ids.
        settle_after(connection, gone, self._clock())

    def extent(self, selector: Selector, collection: Collections = None) -> Extent:
        """Return how much a delete would take away."""
        query = select(*NAME_COLUMNS).where(selected(selector, collection))
        with self._database.read() as connection:
            return extent_of(FrameName(*row) for row in connection.execute(query))

    def delete(self, selector: Selector, collection: Collections = None) -> Deleted:
        """Delete what a selector stands for, and log it; some frames in each transaction.

        A process that is killed meanwhile leaves a part, which the same call deletes. On SQLite nothing of
        the frames is left in the files of the database afterwards, unless a reader stays for seconds.
        """
        names: set[FrameName] = set()
        forgotten = 0
        origins: set[Origin] = set()
        wanted = selected(selector, collection)
        if selector.level == "patient":
            with self._database.write() as connection:
                forgotten = forget_patient(connection, selector.value, collection, self._clock())
        while True:
            with self._database.write() as connection:
                forgotten += forget_judgements(connection, selector, collection)
                gone = delete_selected(connection, wanted, DELETED_AT_ONCE, self._clock())
                settle_after(connection, gone, self._clock())
                forgotten += forget_selected(connection, selector, collection)
                from_files = {Origin(row.origin_source, row.origin_reference) for row in gone}
                self._drop_damaged(connection, from_files, collection)
            names.update(FrameName(*(getattr(row, name) for name in FrameName._fields)) for row in gone)
            origins |= from_files
            if len(gone) < DELETED_AT_ONCE:
                break
        if (names or forgotten) and not self._database.empty_write_ahead_log():
            _log.warning("the write-ahead log still holds what was deleted, until the next delete or start")
        return Deleted(extent_of(names), tuple(sorted(origins - self.referred(origins))))

    def relabel(self, selector: Selector, label: str | None, collection: Collections = None) -> int:
        """Give what a selector stands for a label, or None; some frames in each transaction."""
        changed, looked_at = set[FrameName](), 0
        while True:
            wanted = and_(selected(selector, collection), entries.c.entry_id > looked_at)
            with self._database.write() as connection:
                some, looked_at = relabel_some(connection, wanted, label, RELABELLED_AT_ONCE, self._clock())
                relabel_damaged(connection, selector, label, collection)
            changed |= some
            if not looked_at:
                break
        if changed:
            self._database.empty_write_ahead_log(wait_ms=0)
        return len(changed)

    def _drop_damaged(
        self, connection: Connection, origins: Collection[Origin], collection: Collections
    ) -> None:
        """Drop the damaged rows of files that frames are deleted of: their own UIDs may be what is damaged.

        Otherwise an audit would index such a file again.
        """
        references = sorted({origin.reference for origin in origins if origin.reference})
        same = and_(entries.c.origin_reference.in_(references), of_collections(entries, collection))
        ids = connection.scalars(select(entries.c.entry_id).where(same)).all() if references else []
        intact = self._intact(connection, ids)
        take_out(connection, [entry_id for entry_id in ids if entry_id not in intact], self._clock())
        forget_files(connection, references, collection)

    def referred(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that a live frame comes from, or one that was damaged."""
        with self._database.read() as connection:
            return referred(connection, origins)

    def tail(self, after_seq: int, limit: int) -> list[LogRow]:
        """Return the next log rows in order of sequence number; a lost one is told."""
        return self._log.tail(after_seq, limit)

    def marks(self, after_seq: int, limit: int) -> list[str]:
        """Return the marks of the next log rows, whatever state these are in."""
        return self._log.marks(after_seq, limit)

    def changes(self, after_seq: int, limit: int, collection: Collections = None) -> Changes:
        """Return the next log rows in some collections, with what is known of their frames but the codes."""
        return read_changes(self._database, self._reader, self._report, after_seq, limit, collection)

    def collections(self, model_fingerprint: str, collection: Collections = None) -> list[CollectionInfo]:
        """Return what some collections hold of a model, in order of name."""
        with self._database.read() as connection:
            return count_collections(connection, model_fingerprint, collection)

    def last_seq(self) -> int:
        """Return the highest sequence number committed, 0 for an empty log."""
        with self._database.read() as connection:
            return int(connection.execute(_LAST_SEQ).scalar_one())

    def entries(self, entry_ids: Collection[int]) -> dict[int, EntryInfo]:
        """Return the entries that are live among ``entry_ids``."""
        found = []
        for ids in parts(entry_ids):
            found += self._reader.infos(BY_ID, {"ids": ids})
        return {entry.entry_id: entry for entry in found}

    def find(
        self, sop_instance_uid: str, model_fingerprint: str, collection: str | None = None
    ) -> list[EntryInfo]:
        """Return the live frames of an instance in order of frame number, then of entry; maybe none."""
        query = _OF_INSTANCE if collection is None else _OF_INSTANCE.where(entries.c.collection == collection)
        of_instance = {"uid": sop_instance_uid, "model": model_fingerprint}
        return by_frame_number(self._reader.infos(query, of_instance))

    def ids_of(self, sop_instance_uids: Collection[str], model_fingerprint: str) -> frozenset[int]:
        """Return the ids of the live entries of some instances."""
        of_model = select(entries.c.entry_id).where(entries.c.model_fingerprint == model_fingerprint)
        found: set[int] = set()
        with self._database.read() as connection:
            for uids in parts(sop_instance_uids):
                found.update(connection.scalars(of_model.where(entries.c.sop_instance_uid.in_(uids))))
        return frozenset(found)

    def patients(self, sop_instance_uid: str, model_fingerprint: str) -> frozenset[str]:
        """Return the keys of the patients that live frames of an instance are of; maybe none, or several."""
        keys = {entry.info.patient_key for entry in self.find(sop_instance_uid, model_fingerprint)}
        return frozenset(key for key in keys if key is not None)

    def instance(self, collection: str, sop_instance_uid: str) -> list[EntryInfo]:
        """Return the live frames of an instance, of all models, in order of frame number, then of entry."""
        of_instance = {"collection": collection, "uids": [sop_instance_uid]}
        return by_frame_number(self._reader.infos(_INSTANCE, of_instance))

    def series(
        self, model_fingerprint: str, selector: Selector | None = None, collection: str | None = None
    ) -> list[SeriesInfo]:
        """List the series that hold live frames, in order of (collection, study, series)."""
        return self._lister.series(model_fingerprint, selector, collection)

    def studies(
        self,
        model_fingerprint: str,
        collection: Collections = None,
        wanted: WantedStudies = ALL_STUDIES,
        offset: int = 0,
        limit: int = 100,
    ) -> StudiesPage:
        """List studies that hold live frames, in order."""
        return self._lister.studies(model_fingerprint, collection, wanted, offset, limit)

    def patient_keys(self, model_fingerprint: str, collection: Collections = None) -> frozenset[str]:
        """Return the keys of the patients of live frames."""
        with self._database.read() as connection:
            return patient_keys(connection, model_fingerprint, collection)

    def patient_list(
        self, model_fingerprint: str, collection: Collections = None, offset: int = 0, limit: int = 100
    ) -> PatientsPage:
        """List patients that live frames are of, in order of key."""
        with self._database.read() as connection:
            return patients_page(connection, model_fingerprint, collection, offset, limit)

    def study_uids(
        self, model_fingerprint: str, wanted: WantedStudies, collection: Collections = None
    ) -> list[str]:
        """Return the UIDs of wanted studies that hold live frames in some collections, each once, sorted."""
        return self._lister.study_uids(model_fingerprint, wanted, collection)

    def frames(self, collection: str, series_uid: str, model_fingerprint: str) -> list[EntryInfo]:
        """Return the live frames of a series in display order; empty if there is none."""
        return display_order(
            self._reader.infos(
                infos_where(
                    entries.c.collection == collection,
                    entries.c.series_uid == series_uid,
                    entries.c.model_fingerprint == model_fingerprint,
                )
            )
        )


# Asked for every file: statements that stay are made ready once.
_LAST_SEQ = select(counter.c.value)
_OF_UIDS = and_(
    entries.c.collection == bindparam("collection"),
    entries.c.sop_instance_uid.in_(bindparam("uids", expanding=True)),
)
_KNOWN = select(
    entries.c.sop_instance_uid,
    entries.c.frame_number,
    entries.c.model_fingerprint,
    entries.c.entry_id,
).where(_OF_UIDS, entries.c.model_fingerprint.in_(bindparam("models", expanding=True)))
_OWNERS = [entries.c[name] for name in Held._fields if name != "newest"]
_INSTANCE = infos_where(_OF_UIDS)
_HELD = select(*_OWNERS, func.max(entries.c.entry_id)).where(_OF_UIDS).group_by(*_OWNERS)


def _known(connection: Connection, collection: str, wanted: Collection[_FrameKey]) -> dict[_FrameKey, int]:
    """Return the entry of each frame that is there already."""
    models = sorted({model for _, _, model in wanted})
    known: dict[_FrameKey, int] = {}
    for uids in parts(sorted({uid for uid, _, _ in wanted})):
        found = connection.execute(_KNOWN, {"collection": collection, "uids": uids, "models": models})
        known.update(((uid, number, model), entry_id) for uid, number, model, entry_id in found)
    return {key: found for key, found in known.items() if key in wanted}


def _held(connection: Connection, collection: str, sop_instance_uids: Sequence[str]) -> list[Held]:
    """Return what is there of some instances."""
    held: list[Held] = []
    for uids in parts(sop_instance_uids):
        held += map(Held._make, connection.execute(_HELD, {"collection": collection, "uids": uids}))
    return held


def _frame_key(encoded: EncodedFrame) -> _FrameKey:
    return encoded.info.sop_instance_uid, encoded.info.frame_number, encoded.model_fingerprint
