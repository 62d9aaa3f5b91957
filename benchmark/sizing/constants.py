"""What does not grow with the archive, from rows: value, low and high of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmark.sizing.newest import Row, newest
from hmar.sizing.fit import LEAST_ERROR

Constant = tuple[float, float, float]


def constant_rows(rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    """Return the newest rows that tell each constant; none where no row does.

    Indexing counts of real images alone: phantoms have other windows, and are decoded faster.
    """
    return {
        name: newest((row.get("processes"), row) for row in rows if tells(row))
        for name, (tells, _) in _CONSTANTS.items()
    }


def constants(found: Mapping[str, Sequence[Row]]) -> dict[str, Constant]:
    """Return the constants that rows tell, each of at least one."""
    return {name: value(found[name]) for name, (_, value) in _CONSTANTS.items()}


def _windows(rows: Sequence[Row]) -> Constant:
    [row] = rows
    low, high = row["windows_quartiles"]
    return row["windows_mean"], low, high


def _processes_mib(rows: Sequence[Row]) -> Constant:
    [row] = rows
    memory = row["peer_memory_mib"]
    # A web server and a worker have a decoder each.
    held = sum(memory.values()) + memory["decoders"]
    return held, held, 1.5 * held


def _indexed_per_core_s(rows: Sequence[Row]) -> Constant:
    """Return the rate of a core when all are at work; alone, one is faster."""
    most = max(rows, key=lambda row: row["processes"])
    rate = most["frames_per_s"] / most["processes"]
    rates = [each / row["processes"] for row in rows for each in row["frames_per_s_range"]]
    return rate, min(*rates, rate / (1 + LEAST_ERROR)), max(*rates, rate * (1 + LEAST_ERROR))


def _query_ms(rows: Sequence[Row]) -> Constant:
    [row] = rows
    spent = row["processor_ms"]
    return spent, spent / 2, spent


def _of_images(row: Row) -> bool:
    return row.get("part") == "indexing" and bool(row["environment"]["config"]["data"])


_CONSTANTS: Mapping[str, tuple[Callable[[Row], bool], Callable[[Sequence[Row]], Constant]]] = {
    "windows": (lambda row: _of_images(row) and "windows_mean" in row, _windows),
    "processes_mib": (lambda row: row.get("part") == "pacs" and "peer_memory_mib" in row, _processes_mib),
    "indexed_per_core_s": (lambda row: _of_images(row) and "processes" in row, _indexed_per_core_s),
    "query_ms": (lambda row: row.get("part") == "seen" and "a new frame" in row["name"], _query_ms),
}
