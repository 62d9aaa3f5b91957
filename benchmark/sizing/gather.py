"""Rows of benchmarks as the figures that ``hmar size`` computes with."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hmar.errors import ParameterError
from hmar.sizing.figures import Figures, Scan, Source
from hmar.sizing.fit import Point

Row = Mapping[str, Any]
GROWING = {
    "database_bytes": ("bytes of the database", "bytes"),
    "snapshot_bytes": ("bytes of a snapshot", "bytes"),
    "rebuild_s": ("index all of the log", "processor_s"),
    "start_s": ("memory at rest, 1 process", "start_s"),
    "held_bytes": ("memory at rest, 1 process", "held_bytes"),
}
"""Figures that grow with an archive: the name of the rows that tell them, and the field."""
_SCANS = ("threads", "bits", "query_windows", "frames", "windows", "p50_ms")


def read_rows(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the rows of files of JSON lines; raises ParameterError for a file that holds none."""
    rows = []
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

    Every scan counts, whichever codes it was of: their spread is the interval. Rows of other benchmarks are
    passed over.

    Raises
    ------
    ParameterError
        If a figure is in none of the rows.
    """
    constants, used = _constants(rows)
    growing: defaultdict[str, list[Point]] = defaultdict(list)
    scans = []
    for row in rows:
        for figure, (name, field) in GROWING.items():
            if row.get("name") == name:
                growing[figure].append(Point(row["frames"], row["windows"], row[field]))
                used.append(row)
        if row.get("part") == "scan" and all(isinstance(row.get(key), int | float) for key in _SCANS):
            point = Point(row["frames"], row["windows"], row["p50_ms"])
            scans.append(Scan(row["threads"], row["bits"], row["query_windows"], point))
            used.append(row)
    missing = sorted(GROWING.keys() - growing.keys()) + ([] if scans else ["scans"])
    if missing:
        raise ParameterError(
            f"The rows do not tell: {', '.join(missing)}.", "Give --rows files of the benchmarks that do."
        )
    return Figures(constants, dict(growing), scans, _sources(used))


def _constants(rows: Sequence[Row]) -> tuple[dict[str, tuple[float, float, float]], list[Row]]:
    found: dict[str, tuple[float, float, float]] = {}
    used: list[Row] = []
    for row in rows:
        told: dict[str, tuple[float, float, float]] = {}
        if "windows_mean" in row:
            low, high = row["windows_quartiles"]
            told["windows"] = (row["windows_mean"], low, high)
        if row.get("part") == "pacs" and "peer_memory_mib" in row:
            held = sum(row["peer_memory_mib"].values())
            # A web server and a worker have a decoder each.
            held += row["peer_memory_mib"]["decoders"]
            told["processes_mib"] = (held, held, 1.5 * held)
            rate = row["peer_per_s"]
            told["indexed_per_core_s"] = (rate, rate / 1.5, rate)
        if row.get("part") == "seen" and "a new frame" in row["name"]:
            told["query_ms"] = (row["processor_ms"], row["processor_ms"] / 2, row["processor_ms"])
        if told:
            used.append(row)
        found |= told
    missing = {"windows", "processes_mib", "indexed_per_core_s", "query_ms"} - found.keys()
    if missing:
        raise ParameterError(
            f"The rows do not tell: {', '.join(sorted(missing))}.",
            "Give --rows files of 'hmar bench speed' with the parts seen and pacs, and of 'hmar bench size'.",
        )
    return found, used


def _sources(rows: Sequence[Row]) -> list[Source]:
    """Return where rows come from, each place once, oldest first."""
    places = set()
    for row in rows:
        made = row["environment"]
        machine = made["machine"]
        places.add(
            Source(made["commit"], f"{machine['processor']}, {machine['cores']} threads", made["time"])
        )
    return sorted(places, key=lambda source: source.time)
