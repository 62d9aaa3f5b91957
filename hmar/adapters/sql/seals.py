"""Digests of rows: written with a row, and compared before it is believed.

They tell faults of disks, memory and hands, not forgery: whoever can write the database can write digests
too.

An entry has two. ``code_digest`` covers gate and codes, ``row_digest`` every other column and
``code_digest``: so a reader of metadata verifies it without reading the codes, which are most of a row. A row
of the log has one. A row without a digest was written by an older version, and is taken as it is.

The canonical form is the same from every database: a JSON object of the columns in order of their names,
without those that are NULL, in ASCII (of the log, whose columns are never NULL, an array of their values);
dates are ISO 8601, and a float is the shortest decimal number that is read back as the same double.
:func:`sealed_entry` brings a row into the form in which a database gives it back: there is one zero, and NaN
is NULL.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Column

from hmar.adapters.sql.schema import entries, log

CODE_COLUMNS = ("gate_global", "gate_local", "global_code", "window_codes", "window_ids")


def _iso(value: object) -> str:
    if type(value) is date:
        return value.isoformat()
    raise TypeError(type(value).__name__)


_json = json.JSONEncoder(separators=(",", ":"), default=_iso).encode


def _names(columns: Iterable[Column[Any]]) -> tuple[str, ...]:
    return tuple(sorted(column.name for column in columns if column.name != "row_digest"))


_INFO = _names(column for column in entries.columns if column.name not in CODE_COLUMNS)
_LOG = _names(log.columns)


def sealed_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a new entry as it is stored, with its two digests."""
    stored = {name: _STORED[name](value) for name, value in row.items() if value is not None}
    stored["code_digest"] = _code_digest(*(stored[name] for name in CODE_COLUMNS))
    stored["row_digest"] = _digest(_INFO, stored)
    return dict.fromkeys(_STORED) | stored


def sealed_log(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new row of the log with its digest."""
    return {**row, "row_digest": _log_digest(row)}


def info_intact(row: Mapping[str, Any]) -> bool:
    """Return whether an entry's columns but its codes are what was written."""
    return row["row_digest"] is None or row["row_digest"] == _digest(_INFO, row)


def entry_intact(row: Mapping[str, Any]) -> bool:
    """Return whether an entry's columns are what was written, its codes included."""
    if row["row_digest"] is None:
        return True
    try:
        codes = _code_digest(*(row[name] for name in CODE_COLUMNS))
    except TypeError:  # no bytes
        return False
    return bool(row["code_digest"] == codes) and info_intact(row)


def resealed_info(row: Mapping[str, Any]) -> str | None:
    """Return the digest of an entry's columns as they are now; codes are covered by their own."""
    return _digest(_INFO, row)


def log_intact(row: Mapping[str, Any]) -> bool:
    """Return whether a row of the log is what was written."""
    return row["row_digest"] is None or row["row_digest"] == _log_digest(row)


def _digest(names: Iterable[str], row: Mapping[str, Any]) -> str | None:
    """Return the digest of some columns, None where one holds what no writer stores."""
    values = {name: value for name in names if (value := row.get(name)) is not None}
    try:
        return hashlib.sha256(_json(values).encode()).hexdigest()
    except TypeError:
        return None


def _log_digest(row: Mapping[str, Any]) -> str | None:
    """Return the digest of a row of the log, whose columns are never NULL: of their values alone."""
    try:
        return hashlib.sha256(_json([row[name] for name in _LOG]).encode()).hexdigest()
    except TypeError:
        return None


def _code_digest(
    gate_global: float, gate_local: float, global_code: bytes, window_codes: bytes, window_ids: bytes
) -> str:
    head = [gate_global, gate_local, len(global_code), len(window_codes), len(window_ids)]
    digest = hashlib.sha256(_json(head).encode())
    for codes in (global_code, window_codes, window_ids):
        digest.update(codes)
    return digest.hexdigest()


def _float(value: float) -> float | None:
    number = float(value) + 0.0  # -0.0 + 0.0 is 0.0, as SQLite stores it
    return number if number == number else None


_STORED_AS: dict[type, Callable[[Any], Any]] = {
    str: str,
    int: operator.index,
    float: _float,
    bytes: bytes,
    date: lambda value: value,
    bool: bool,
}
_STORED = {column.name: _STORED_AS[column.type.python_type] for column in entries.columns}
