"""Rows of benchmarks as the figures that ``hmar size`` computes with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.sizing.constants import constant_rows, constants
from benchmark.sizing.newest import Row, made_at, newest
from benchmark.sizing.searches import exact_rows, fast_rows, fast_scan_of, scan_of
from hmar.errors import ParameterError
from hmar.sizing.figures import Figures, Source
from hmar.sizing.fit import Point

GROWING = {
    "database_bytes": ("bytes of the database", "bytes"),
    "snapshot_bytes": ("bytes of a snapshot", "bytes"),
    "rebuild_s": ("index all of the log", "processor_s"),
    "start_s": ("memory at rest, 1 process", "start_s"),
    "held_bytes": ("memory at rest, 1 process", "held_bytes"),
}
"""Figures that grow with an archive: the name of the rows that tell them, and the field."""


def read_rows(files: Iterable[Path]) -> list[Row]:
    """Return the rows of files of JSON lines; raises ParameterError for a file that holds none."""
    rows: list[Row] = []
    for file in files:
        try:
            rows += [json.loads(line) for line in file.read_text("utf-8").splitlines() if line]
        except (OSError, ValueError) as error:
            raise ParameterError(
                f"{file} holds no rows of a benchmark ({type(error).__name__}).",
                "Give files that 'hmar bench' has written with --json.",
            ) from error
    return rows


def gathered(rows: Sequence[Row]) -> Figures:
    """Return the figures that rows hold.

    Where two rows measured the same, the newer one counts, in whatever order they come. Rows of other
    benchmarks are passed over.

    Raises
    ------
    ParameterError
        If a figure is in none of the rows; fast searches may be.
    """
    growing = {figure: _growing(rows, name) for figure, (name, _) in GROWING.items()}
    steady = constant_rows(rows)
    exact, fast = exact_rows(rows), fast_rows(rows)
    told = {**growing, **steady, "scans": exact}
    missing = sorted(name for name, found in told.items() if not found)
    if missing:
        raise ParameterError(
            f"The rows do not tell: {', '.join(missing)}.",
            "Give --rows files of 'hmar bench speed' with the parts scan, seen and pacs, and of "
            "'hmar bench size' with --data.",
        )
    used = [row for found in (*told.values(), fast) for row in found]
    return Figures(
        constants(steady),
        {figure: [_point(row, GROWING[figure][1]) for row in found] for figure, found in growing.items()},
        [scan_of(row) for row in exact],
        [fast_scan_of(row) for row in fast],
        _sources(used),
    )


def _growing(rows: Sequence[Row], name: str) -> Sequence[Row]:
    return newest(((row["frames"], row["windows"]), row) for row in rows if row.get("name") == name)


def _point(row: Row, field: str) -> Point:
    return Point(row["frames"], row["windows"], row[field])


def _sources(rows: Sequence[Row]) -> list[Source]:
    """Return where rows come from, each place once, oldest first."""
    places = set()
    for row in rows:
        made = row["environment"]
        machine = made["machine"]
        places.add(
            Source(made["commit"], f"{machine['processor']}, {machine['cores']} threads", made_at(row))
        )
    return sorted(places, key=lambda source: source.time)
