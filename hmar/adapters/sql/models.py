"""Which model the archive uses, in SQL, and the frames that one model has and another has not."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import (
    Alias,
    ColumnElement,
    Connection,
    FromClause,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    select,
)

from hmar.adapters.common.entries import check_encoded
from hmar.adapters.common.models import check_carried, check_missing, check_next, check_unused
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import delete_selected, of_collections
from hmar.adapters.sql.feedback import forget_judgements
from hmar.adapters.sql.log_rows import allocate, lock, write_log
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.quarantine import settle
from hmar.adapters.sql.reading import DamageReport, InfoReader, Values, infos_where, values_of
from hmar.adapters.sql.rows import INFO_COLUMNS, code_columns
from hmar.adapters.sql.schema import damaged_rows, entries, model_roles
from hmar.adapters.sql.seals import info_intact, sealed_entry
from hmar.adapters.sql.slabs import hold_back, settle_after, settle_before
from hmar.values.codes import EncodedFrame
from hmar.values.deletion import Collections, Selector
from hmar.values.entries import EntryInfo, Origin
from hmar.values.models import Coverage, ModelName, ModelRoles

_DIGESTS = frozenset({"code_digest", "row_digest"})
_FRAME = ("collection", "sop_instance_uid", "frame_number")
"""Columns that name a frame, whatever the model."""


class SqlModelStore:
    """A :class:`hmar.ports.ModelStore` in a database. Safe between threads and between processes.

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
        self._reader = InfoReader(database, DamageReport())

    def roles(self) -> ModelRoles:
        """Return the model that is used, and the next one."""
        with self._database.read() as connection:
            return _roles(connection)

    def begin(self, used: ModelName, model: ModelName) -> None:
        """Make a model the next one, unless it is used; ``used`` is recorded where no model is."""
        with self._database.write() as connection:
            lock(connection)
            roles = _roles(connection)
            known = roles.used or used
            if roles.used is None:
                _set(connection, "used", used)
            if model.fingerprint != known.fingerprint:
                check_next(roles, model)
                _set(connection, "next", model)

    def use(self, model: ModelName, accept_missing: int = 0) -> None:
        """Make a model the one that is used; nothing is indexed between counting and that."""
        with self._database.write() as connection:
            lock(connection)
            covered = _coverage(connection, model.fingerprint, None)
            check_missing(model, sum(one.missing for one in covered.values()), accept_missing)
            following = _roles(connection).next
            _set(connection, "used", model)
            if following is not None and following.fingerprint == model.fingerprint:
                _unset(connection, "next")

    def coverage(self, model_fingerprint: str, collection: Collections = None) -> dict[str, Coverage]:
        """Return how far some collections are indexed under a model, by their names."""
        with self._database.read() as connection:
            return _coverage(connection, model_fingerprint, collection)

    def frames(self) -> dict[str, int]:
        """Return the number of frames under each model."""
        model = entries.c.model_fingerprint
        with self._database.read() as connection:
            rows = connection.execute(select(model, func.count()).group_by(model))
            return {fingerprint: int(count) for fingerprint, count in rows}

    def files(self, model_fingerprint: str, collection: str) -> list[Origin]:
        """Return where the frames come from that are missing under a model, sorted."""
        origin = (entries.c.origin_source, entries.c.origin_reference)
        wanted = and_(entries.c.collection == collection, _missing(model_fingerprint))
        with self._database.read() as connection:
            rows = connection.execute(select(*origin).where(wanted).distinct())
            return sorted(Origin(*row) for row in rows)

    def lacking(self, model_fingerprint: str, collection: str, of: Origin | str) -> list[EntryInfo]:
        """Return an entry of each frame of a file, or of an instance, that a model misses."""
        named = _of(of)
        found = self._reader.infos(
            infos_where(entries.c.collection == collection, named, _missing(model_fingerprint))
        )
        first: dict[tuple[str, int], EntryInfo] = {}
        for entry in sorted(found, key=lambda entry: entry.entry_id):
            first.setdefault((entry.info.sop_instance_uid, entry.info.frame_number), entry)
        return [first[name] for name in sorted(first)]

    def carry(self, codes: Mapping[int, EncodedFrame]) -> int:
        """Add entries that are those given in all but codes and model; return how many."""
        for encoded in codes.values():
            check_encoded(encoded)
        with self._database.write() as connection:
            lock(connection)
            roles = _roles(connection)
            for encoded in codes.values():
                check_carried(roles, encoded.model_fingerprint)
            new = _without_known(
                connection,
                [
                    _carried(row, codes[row["entry_id"]])
                    for row in _infos(connection, sorted(codes))
                    if info_intact(row)
                ],
            )
            if new:
                self._add(connection, new)
        return len(new)

    def _add(self, connection: Connection, rows: Sequence[Values]) -> None:
        seqs = allocate(connection, len(rows))
        new = [{**row, "entry_id": seq} for seq, row in zip(seqs, rows, strict=True)]
        changed = settle_before(connection, new)
        sealed = list(map(sealed_entry, new))
        connection.execute(insert(entries), sealed)
        logged = [
            {"seq": row["entry_id"], "entry_id": row["entry_id"], "collection": row["collection"]}
            for row in sealed
        ]
        write_log(connection, "add", logged, self._clock())
        hold_back(connection, changed, self._clock())
        for collection in {row["collection"] for row in rows}:
            back = [
                (row["sop_instance_uid"], row["frame_number"], row["model_fingerprint"])
                for row in rows
                if row["collection"] == collection
            ]
            settle(connection, collection, back)

    def alone(self, model_fingerprint: str) -> int:
        """Return how many frames no other model has."""
        query = select(func.count()).where(_alone(model_fingerprint))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget(self, model_fingerprint: str, limit: int) -> int:
        """Delete and log some entries of a model; return how many."""
        with self._database.write() as connection:
            lock(connection)
            roles = _roles(connection)
            check_unused(roles, model_fingerprint)
            if model_fingerprint in roles.fingerprints:
                _unset(connection, "next")
            of_model = entries.c.model_fingerprint == model_fingerprint
            oldest = select(entries.c.entry_id).where(of_model).order_by(entries.c.entry_id).limit(limit)
            leaving = and_(entries.c.entry_id.in_(oldest), _alone(model_fingerprint))
            names = select(entries.c.collection, entries.c.sop_instance_uid).where(leaving).distinct()
            for collection, uid in connection.execute(names).all():
                forget_judgements(connection, Selector("instance", uid), collection)
            gone = delete_selected(connection, of_model, limit, self._clock())
            settle_after(connection, gone, self._clock())
            connection.execute(
                delete(damaged_rows).where(damaged_rows.c.model_fingerprint == model_fingerprint)
            )
        self._database.empty_write_ahead_log(wait_ms=0)
        return len(gone)


_ROLES = select(model_roles)


def _roles(connection: Connection) -> ModelRoles:
    rows = {row.role: ModelName(row.fingerprint, row.name) for row in connection.execute(_ROLES)}
    return ModelRoles(**rows)


def _set(connection: Connection, role: str, model: ModelName) -> None:
    _unset(connection, role)
    connection.execute(insert(model_roles), {"role": role, **model._asdict()})


def _unset(connection: Connection, role: str) -> None:
    connection.execute(delete(model_roles).where(model_roles.c.role == role))


def _coverage(connection: Connection, model_fingerprint: str, collection: Collections) -> dict[str, Coverage]:
    """Count frames, by model first: only a collection under several has to be compared frame by frame."""
    name, model = entries.c.collection, entries.c.model_fingerprint
    by_model = select(name, model, func.count()).where(of_collections(entries, collection))
    counted: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for of, fingerprint, count in connection.execute(by_model.group_by(name, model)):
        counted[of][fingerprint] = int(count)
    mixed = sorted(of for of, frames in counted.items() if len(frames) > 1)
    compared = _compared(connection, model_fingerprint, mixed) if mixed else {}
    covered = {}
    for of, frames in sorted(counted.items()):
        has = frames.get(model_fingerprint, 0)
        covered[of] = compared[of] if of in compared else Coverage(has, sum(frames.values()) - has)
    return covered


def _compared(
    connection: Connection, model_fingerprint: str, collections: Sequence[str]
) -> dict[str, Coverage]:
    """Count frames in the order of the index of their names, which holds all that is needed."""
    has = func.max(case((entries.c.model_fingerprint == model_fingerprint, 1), else_=0)).label("has")
    names = [entries.c[name] for name in _FRAME]
    each = select(*names, has).where(entries.c.collection.in_(collections)).group_by(*names).subquery()
    counted = select(each.c.collection, func.count(), func.sum(each.c.has)).group_by(each.c.collection)
    rows = connection.execute(counted)
    return {name: Coverage(int(has), int(total) - int(has)) for name, total, has in rows}


def _same_frame(other: Alias | FromClause) -> ColumnElement[bool]:
    return and_(*(other.c[name] == entries.c[name] for name in _FRAME))


def _missing(model_fingerprint: str) -> ColumnElement[bool]:
    """Return the condition on entries that their frame is missing under a model."""
    other = entries.alias()
    return ~exists().where(_same_frame(other), other.c.model_fingerprint == model_fingerprint)


def _alone(model_fingerprint: str) -> ColumnElement[bool]:
    """Return the condition on entries that they are of a model, and no other model has their frame."""
    other = entries.alias()
    elsewhere = exists().where(_same_frame(other), other.c.model_fingerprint != model_fingerprint)
    return and_(entries.c.model_fingerprint == model_fingerprint, ~elsewhere)


def _of(of: Origin | str) -> ColumnElement[bool]:
    if isinstance(of, str):
        return entries.c.sop_instance_uid == of
    return and_(entries.c.origin_source == of.source, entries.c.origin_reference == of.reference)


def _infos(connection: Connection, entry_ids: Sequence[int]) -> list[Values]:
    rows: list[Values] = []
    for ids in parts(entry_ids):
        query = select(*INFO_COLUMNS).where(entries.c.entry_id.in_(ids)).order_by(entries.c.entry_id)
        rows += values_of(connection, query)
    return rows


def _carried(row: Values, encoded: EncodedFrame) -> Values:
    kept = {name: value for name, value in row.items() if name not in _DIGESTS}
    return {**kept, "model_fingerprint": encoded.model_fingerprint, **code_columns(encoded)}


def _without_known(connection: Connection, rows: Sequence[Values]) -> list[Values]:
    """Return those of some new rows whose frame their model does not have yet."""
    names = [*(entries.c[name] for name in _FRAME), entries.c.model_fingerprint]
    known: set[tuple[object, ...]] = set()
    for uids in parts(sorted({row["sop_instance_uid"] for row in rows})):
        query = select(*names).where(entries.c.sop_instance_uid.in_(uids))
        known.update(map(tuple, connection.execute(query)))
    return [row for row in rows if _first(tuple(row[column.name] for column in names), known)]


def _first(name: tuple[object, ...], known: set[tuple[object, ...]]) -> bool:
    """Return whether a name is new, and note it."""
    new = name not in known
    known.add(name)
    return new
