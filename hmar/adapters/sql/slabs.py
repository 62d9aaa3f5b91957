"""Slabs in SQL: which frames of a stack have their windows searched, kept up as frames come and go.

All is done within the transaction that brings or takes frames, under the writers' lock: so which slice stands
for its slab follows from the slices that are there, whatever order they came in, and from any number of
workers. Rows never change: a frame that is held back, or not any more, gets a new row, and the log says so.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select

from hmar.adapters.sql.database import Database
from hmar.adapters.sql.log_rows import lock
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.reading import Values, values_of
from hmar.adapters.sql.rewriting import rewrite
from hmar.adapters.sql.rows import encoded_frame
from hmar.adapters.sql.schema import entries, slabs
from hmar.adapters.sql.seals import entry_intact
from hmar.values.groups import FrameCodes
from hmar.values.slabs import Member, Slab, held_back, slab_number, slabs_of

_AT_ONCE = 500
"""Frames rewritten by one statement, with their codes."""


class StackName(NamedTuple):
    """What names a stack of frames under a model."""

    collection: str
    series_uid: str
    model_fingerprint: str
    stack: str


STACK_COLUMNS = tuple(entries.c[name] for name in (*StackName._fields, "along_mm"))
"""What :func:`settle_after` needs of the rows that are gone."""


class _There(NamedTuple):
    member: Member
    held_back: bool


@dataclass(slots=True)
class _Touched:
    """Slabs of a stack in which something changes, and the frames that are about to come into them."""

    slabs: set[int] = field(default_factory=set)
    new: list[Member] = field(default_factory=list)


def slab_sizes(connection: Connection) -> dict[str, float]:
    """Return the thickness of the slabs of each collection that has any."""
    return {row.collection: row.slab_mm for row in connection.execute(select(slabs))}


def settle_before(connection: Connection, rows: Sequence[Values]) -> dict[int, bool]:
    """Say in new rows whether they are held back; return what changes in those that are there.

    Parameters
    ----------
    connection : Connection
        In a transaction that holds the writers' lock.
    rows : sequence of dict
        Rows that are about to be inserted, with their ids; ``held_back`` is set.

    Returns
    -------
    dict of int to bool
        For :func:`hold_back`: whether an entry is held back from now on.
    """
    sizes = slab_sizes(connection)
    touched: defaultdict[StackName, _Touched] = defaultdict(_Touched)
    for row in rows:
        row["held_back"] = None
        slab_mm = sizes.get(row["collection"])
        if slab_mm is not None and row["stack"] is not None:
            here = touched[StackName(*(row[name] for name in StackName._fields))]
            here.slabs.add(slab_number(row["along_mm"], slab_mm))
            here.new.append(Member(row["entry_id"], row["along_mm"]))
    held, changed = _settled(connection, touched, sizes)
    for row in rows:
        if row["entry_id"] in held:
            row["held_back"] = True
    return changed


def settle_after(connection: Connection, gone: Sequence[Row[Any]], now: float) -> None:
    """Let other slices stand for the slabs of rows that are gone, which have ``STACK_COLUMNS``."""
    sizes = slab_sizes(connection)
    touched: defaultdict[StackName, _Touched] = defaultdict(_Touched)
    for row in gone:
        slab_mm = sizes.get(row.collection)
        if slab_mm is not None and row.stack is not None:
            name = StackName(row.collection, row.series_uid, row.model_fingerprint, row.stack)
            touched[name].slabs.add(slab_number(row.along_mm, slab_mm))
    hold_back(connection, _settled(connection, touched, sizes)[1], now)


def settle_stack(connection: Connection, name: StackName, now: float) -> int:
    """Settle all slabs of a stack, whatever changed in it; return how many frames that changes."""
    slab_mm = slab_sizes(connection).get(name.collection)
    there = _there(connection, _of_stack(name))
    held = held_back([one.member for one in there], slab_mm) if slab_mm is not None else frozenset()
    changed = {member.entry_id: not known for member, known in there if (member.entry_id in held) != known}
    return hold_back(connection, changed, now)


def hold_back(connection: Connection, changed: Mapping[int, bool], now: float) -> int:
    """Have entries held back, or not any more, and log it; damaged ones stay. Return how many."""
    ids, done = sorted(changed), 0
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        done += len(
            rewrite(connection, some, lambda row: {"held_back": changed[row["entry_id"]] or None}, now)
        )
    return done


def _settled(
    connection: Connection, touched: Mapping[StackName, _Touched], sizes: Mapping[str, float]
) -> tuple[set[int], dict[int, bool]]:
    """Return the new frames that are held back, and what changes in those that are there."""
    held_new: set[int] = set()
    changed: dict[int, bool] = {}
    for name, here in touched.items():
        slab_mm = sizes[name.collection]
        there = _members(connection, name, here.slabs, slab_mm)
        held = held_back([*(one.member for one in there), *here.new], slab_mm)
        held_new.update(member.entry_id for member in here.new if member.entry_id in held)
        for member, known in there:
            if (member.entry_id in held) != known:
                changed[member.entry_id] = not known
    return held_new, changed


def _members(connection: Connection, name: StackName, among: Collection[int], slab_mm: float) -> list[_There]:
    """Return the frames of some slabs of a stack."""
    # Wider by a slab than they are: where they end is said in one place, by slab_number.
    low, high = (min(among) - 1) * slab_mm, (max(among) + 2) * slab_mm
    of_slabs = and_(_of_stack(name), entries.c.along_mm.between(low, high))
    return [one for one in _there(connection, of_slabs) if slab_number(one.member.along_mm, slab_mm) in among]


def _there(connection: Connection, wanted: ColumnElement[bool]) -> list[_There]:
    """Return the frames of a stack, but those whose place is damaged."""
    query = select(entries.c.entry_id, entries.c.along_mm, entries.c.held_back.is_not(None)).where(wanted)
    return [
        _There(Member(entry_id, along_mm), bool(known))
        for entry_id, along_mm, known in connection.execute(query)
        if isinstance(along_mm, float)
    ]


def _of_stack(name: StackName) -> ColumnElement[bool]:
    return and_(*(entries.c[field] == value for field, value in name._asdict().items()))


class SqlSlabStore:
    """A :class:`hmar.ports.SlabStore` in a database. Safe between threads and between processes.

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

    def sizes(self) -> dict[str, float]:
        """Return the thickness of the slabs of each collection that has any."""
        with self._database.read() as connection:
            return slab_sizes(connection)

    def change(self, collection: str, slab_mm: float | None) -> int:
        """Give a collection slabs of another thickness, or none; a series in each transaction."""
        with self._database.write() as connection:
            lock(connection)
            connection.execute(delete(slabs).where(slabs.c.collection == collection))
            if slab_mm is not None:
                connection.execute(insert(slabs), {"collection": collection, "slab_mm": float(slab_mm)})
            stacks = select(*STACK_COLUMNS[:-1]).where(
                entries.c.collection == collection, entries.c.stack.is_not(None)
            )
            names = [StackName(*row) for row in connection.execute(stacks.distinct())]
        changed = 0
        for name in sorted(names):
            with self._database.write() as connection:
                lock(connection)
                changed += settle_stack(connection, name, self._clock())
        if changed:
            self._database.empty_write_ahead_log(wait_ms=0)
        return changed

    def slabs(self, entry_ids: Collection[int]) -> dict[int, Slab]:
        """Return the slabs that entries lie in, of those in which one slice stands for others."""
        with self._database.read() as connection:
            sizes = slab_sizes(connection)
            wanted: defaultdict[StackName, set[int]] = defaultdict(set)
            for ids in parts(sorted(entry_ids)) if sizes else ():
                placed = and_(entries.c.entry_id.in_(ids), entries.c.stack.is_not(None))
                for row in connection.execute(select(*STACK_COLUMNS).where(placed)):
                    if row.collection in sizes:
                        wanted[StackName(*row[:-1])].add(slab_number(row.along_mm, sizes[row.collection]))
            found: dict[int, Slab] = {}
            for name, among in wanted.items():
                slab_mm = sizes[name.collection]
                there = _members(connection, name, among, slab_mm)
                held = {one.member.entry_id for one in there if one.held_back}
                for members in slabs_of((one.member for one in there), slab_mm):
                    ids = [member.entry_id for member in members]
                    if not held.isdisjoint(ids):
                        found |= dict.fromkeys(ids, Slab(slab_mm, tuple(ids)))
        return {entry_id: found[entry_id] for entry_id in entry_ids if entry_id in found}

    def codes(self, entry_ids: Collection[int]) -> list[FrameCodes]:
        """Return all codes of live entries, those that are held back included, in the order given."""
        found: dict[int, FrameCodes] = {}
        with self._database.read() as connection:
            for ids in parts(sorted(entry_ids)):
                for row in values_of(connection, select(entries).where(entries.c.entry_id.in_(ids))):
                    if entry_intact(row):
                        codes = encoded_frame(row)
                        found[row["entry_id"]] = FrameCodes(
                            row["entry_id"], codes.global_code, codes.window_codes, codes.window_ids
                        )
        return [found[entry_id] for entry_id in entry_ids if entry_id in found]
