"""Rows that are read and verified; a damaged one is left out and told, and stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from hmar.adapters.sql.database import UNREADABLE, Database, translated
from hmar.adapters.sql.rows import INFO_COLUMNS, entry_info
from hmar.adapters.sql.schema import entries
from hmar.adapters.sql.seals import info_intact
from hmar.errors import first_of
from hmar.values.entries import EntryInfo

Values = dict[str, Any]
"""A row by the names of its columns."""

NAMED_AT_ONCE = 10
_NO_VALUES: Mapping[str, Any] = {}
_log = logging.getLogger("hmar.adapters.sql.catalogue")


def infos_where(*wanted: ColumnElement[bool]) -> Select[Any]:
    """Return a query for what an :class:`InfoReader` reads of some entries."""
    return select(*INFO_COLUMNS).where(*wanted)


# Each search asks this. A statement that stays is made ready once: half of what asking costs.
BY_ID = infos_where(entries.c.entry_id.in_(bindparam("ids", expanding=True)))
"""A query for entries by their ids, the parameter ``ids``."""


def values_of(
    connection: Connection, query: Select[Any], values: Mapping[str, Any] = _NO_VALUES
) -> Iterator[Values]:
    """Yield the rows of a query, given the values of its parameters."""
    result = connection.execute(query, values)
    names = tuple(result.keys())
    for row in result:
        yield dict(zip(names, row, strict=True))


class DamageReport:
    """Logs what is damaged, each thing once, several in one line."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    def tell(self, what: str, numbers: Collection[int]) -> None:
        """Log the numbers among ``numbers`` that were not told before.

        Parameters
        ----------
        what : str
            Such as "Damaged entries".
        numbers : collection of int
            Their ids.
        """
        new = sorted(number for number in numbers if (what, number) not in self._told)
        if not new:
            return
        self._told.update((what, number) for number in new)
        named = first_of(new, NAMED_AT_ONCE)
        _log.error("%s: %d (%s). They are left out. Run 'hmar doctor --repair'.", what, len(new), named)


class InfoReader:
    """Reads the metadata of entries, each row verified.

    Parameters
    ----------
    database : Database
    report : DamageReport
        Told of what is damaged.
    """

    def __init__(self, database: Database, report: DamageReport) -> None:
        self._database = database
        self._report = report

    def infos(self, query: Select[Any], values: Mapping[str, Any] = _NO_VALUES) -> list[EntryInfo]:
        """Return the intact ones among the entries of a query, given the values of its parameters."""
        with self._database.read() as connection:
            return self.infos_in(connection, query, values)

    def infos_in(
        self, connection: Connection, query: Select[Any], values: Mapping[str, Any] = _NO_VALUES
    ) -> list[EntryInfo]:
        """Return the same within a transaction."""
        try:
            rows = _read(connection, query, values)
        except UNREADABLE:
            rows = self._one_by_one(connection, query, values)
        found, damaged = [], []
        for row in rows:
            if info_intact(row):
                found.append(entry_info(row))
            else:
                damaged.append(row["entry_id"])
        self._report.tell("Damaged entries", damaged)
        return found

    def group_of(self, entry_id: int, model_fingerprint: str) -> list[EntryInfo]:
        """Return the intact frames of the series of a frame, whose own row need not be readable."""
        first = entries.alias()
        same = [
            entries.c[name] == select(first.c[name]).where(first.c.entry_id == entry_id).scalar_subquery()
            for name in ("collection", "study_uid", "series_uid")
        ]
        return self.infos(infos_where(entries.c.model_fingerprint == model_fingerprint, *same))

    def _one_by_one(
        self, connection: Connection, query: Select[Any], values: Mapping[str, Any]
    ) -> list[Values]:
        with translated():
            ids = connection.scalars(query.with_only_columns(entries.c.entry_id), values).all()
        rows: list[Values] = []
        unreadable = unreadable_among(
            ids, lambda entry_id: rows.extend(_read(connection, BY_ID, {"ids": [entry_id]}))
        )
        self._report.tell("Damaged entries", unreadable)
        return rows


def _read(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> list[Values]:
    with translated():
        return list(values_of(connection, query, values))


def unreadable_among(ids: Sequence[int], read: Callable[[int], object]) -> list[int]:
    """Call ``read`` with each id and return those for which it could not read."""
    unreadable = []
    for number in ids:
        try:
            read(number)
        except UNREADABLE:
            unreadable.append(number)
    return unreadable


def verified(
    ids: Sequence[int],
    read: Callable[[Sequence[int]], Sequence[Values]],
    name: str,
    intact: Callable[[Values], bool],
) -> tuple[int, list[int]]:
    """Return how many of some rows have no digest, and the ids of those that are damaged.

    Parameters
    ----------
    ids : sequence of int
    read : callable
        Returns the rows of some of them.
    name : str
        Of the column that holds the id.
    intact : callable
        Returns whether a row is what was written.
    """
    unsealed, damaged = 0, []

    def check(rows: Sequence[Values]) -> None:
        nonlocal unsealed
        for row in rows:
            unsealed += row["row_digest"] is None
            if not intact(row):
                damaged.append(row[name])

    try:
        check(read(ids))
    except UNREADABLE:
        unsealed, damaged = 0, []
        damaged += unreadable_among(ids, lambda number: check(read([number])))
    return unsealed, damaged
