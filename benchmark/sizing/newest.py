"""Rows of benchmarks, of which the newest counts where several measured the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def newest(rows: Iterable[tuple[Hashable, Row]]) -> Sequence[Row]:
    """Return the newest row of each thing that was measured; of equally old ones the last.

    Parameters
    ----------
    rows : iterable of (hashable, mapping)
        What each row measured, and the row with the ``environment`` that a run has written.
    """
    found: dict[Hashable, Row] = {}
    for measured, row in rows:
        if measured not in found or made_at(found[measured]) <= made_at(row):
            found[measured] = row
    return list(found.values())


def made_at(row: Row) -> str:
    """Return when a row was made, ISO 8601 in UTC: in order as text."""
    return str(row["environment"]["time"])
