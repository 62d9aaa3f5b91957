"""The times of searches that rows hold: exact ones and fast ones, of all frames, by windows of a query."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.sizing.newest import Row, newest
from benchmark.speed.fast_scan import EVERYTHING
from benchmark.speed.fast_scan import NAME as FAST_NAME
from benchmark.speed.scan import NAME
from hmar.sizing.figures import FastScan, Scan
from hmar.sizing.fit import Point

EXACT_NAMES = frozenset({f"{NAME}, 1 window", f"{NAME}, 9 windows"})


def exact_rows(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the newest rows of exact searches without a filter, one for each size and number of threads."""
    return newest((_measured(row), row) for row in rows if row.get("name") in EXACT_NAMES)


def fast_rows(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the newest rows of fast searches without a filter, but those that were made exactly."""
    named = (row for row in rows if row.get("name") == f"{FAST_NAME}, k {row.get('k')}, {EVERYTHING.name}")
    found = newest(((row["k"], *_measured(row)), row) for row in named)
    return [row for row in found if row["made"] == "fast"]


def scan_of(row: Row) -> Scan:
    """Return the time that a row tells."""
    point = Point(row["frames"], row["windows"], row["p50_ms"])
    return Scan(row["threads"], row["bits"], row["query_windows"], point)


def fast_scan_of(row: Row) -> FastScan:
    """Return the time and the recall that a row tells."""
    return FastScan(scan_of(row), row["k"], row["recall"])


def _measured(row: Row) -> tuple[int, int, int, int]:
    return row["threads"], row["bits"], row["query_windows"], row["frames"]
