"""New keys of patients, wherever a table has one, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, bindparam, func, select, update

from hmar.adapters.common.entries import new_mark
from hmar.adapters.sql.database import UNREADABLE, translated
from hmar.adapters.sql.reading import Values, values_of
from hmar.adapters.sql.rows import INFO_COLUMNS, frame_info
from hmar.adapters.sql.schema import damaged_rows, entries, feedback, items, log
from hmar.adapters.sql.seals import info_intact, log_intact, resealed_info, sealed_log
from hmar.errors import ConfigError
from hmar.values.digests import rekeyed_header
from hmar.values.patients import next_key

PAGE_ROWS = 1000
_OTHERS: tuple[tuple[Column[Any], tuple[str, ...]], ...] = (
    (items.c.item_id, ("patient_key",)),
    (feedback.c.seq, ("patient_key", "query_patient_key")),
    (damaged_rows.c.entry_id, ("patient_key",)),
)


def rotate_keys(connection: Connection, step: bytes, progress: Callable[[int, int], None]) -> int:
    """Give each patient the next key, and return how many frames have another one now.

    The marks of the log change with it: its rows tell of frames that are not what they were, and an index of
    the frames before is no index of this log.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes; the caller holds the lock on the log.
    step : bytes
        What the rotation has drawn.
    progress : callable
        Told (rows done, rows in all).

    Raises
    ------
    ConfigError
        If a row cannot be read.
    """
    tables = [entries, log, *(key.table for key, _ in _OTHERS)]
    total = sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = frames = 0
    try:
        for rows in _pages(connection, select(*INFO_COLUMNS), entries.c.entry_id):
            done += len(rows)
            frames += _rekey_entries(connection, rows, step)
            progress(done, total)
        for key, names in _OTHERS:
            for rows in _pages(connection, select(key, *(key.table.c[name] for name in names)), key):
                done += len(rows)
                _rekey(connection, key, names, rows, step)
                progress(done, total)
        mark = new_mark()
        for rows in _pages(connection, select(log), log.c.seq):
            done += len(rows)
            _remark(connection, rows, mark)
            progress(done, total)
    except UNREADABLE as error:
        raise ConfigError(
            "A row of the database cannot be read.", "Run 'hmar doctor --repair', then rotate again."
        ) from error
    return frames


def _pages(connection: Connection, query: Select[Any], key: Column[Any]) -> Iterator[list[Values]]:
    last = -1
    while True:
        with translated():
            page = query.where(key > last).order_by(key).limit(PAGE_ROWS)
            rows = list(values_of(connection, page))
        if not rows:
            return
        yield rows
        last = rows[-1][key.name]


def _rekey_entries(connection: Connection, rows: list[Values], step: bytes) -> int:
    keyed = [_rekeyed(row, step) for row in rows if row["patient_key"] is not None]
    _write(connection, entries.c.entry_id, ("patient_key", "header_digest", "row_digest"), keyed)
    return len(keyed)


def _rekeyed(row: Values, step: bytes) -> Values:
    """Return a row of an entry with the next key; one that is damaged stays so."""
    other = {**row, "patient_key": next_key(str(row["patient_key"]), step)}
    if not info_intact(row):
        return other
    if row["header_digest"] is not None:
        info = frame_info(row)
        rekeyed = replace(info, patient_key=other["patient_key"])
        other["header_digest"] = rekeyed_header(row["header_digest"], info, rekeyed, step)
    if row["row_digest"] is not None:
        other["row_digest"] = resealed_info(other)
    return other


def _rekey(
    connection: Connection, key: Column[Any], names: tuple[str, ...], rows: list[Values], step: bytes
) -> None:
    keyed = [row for row in rows if any(row[name] is not None for name in names)]
    for row in keyed:
        row.update({name: next_key(str(row[name]), step) for name in names if row[name] is not None})
    _write(connection, key, names, keyed)


def _remark(connection: Connection, rows: list[Values], mark: str) -> None:
    for row in rows:
        sealed = row["row_digest"] is not None and log_intact(row)
        row["mark"] = mark
        if sealed:
            row["row_digest"] = sealed_log(row)["row_digest"]
    _write(connection, log.c.seq, ("mark", "row_digest"), rows)


def _write(connection: Connection, key: Column[Any], names: tuple[str, ...], rows: list[Values]) -> None:
    if not rows:
        return
    table: Table = key.table
    to: dict[str, Any] = {name: bindparam(f"to_{name}") for name in names}
    values = [{"of": row[key.name], **{f"to_{name}": row[name] for name in names}} for row in rows]
    connection.execute(update(table).where(key == bindparam("of")).values(to), values)
