"""What an archive needs: memory, disk, cores, and how long things take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from hmar.sizing.advice import advice
from hmar.sizing.figures import Figures
from hmar.sizing.fit import LEAST_ERROR, Interval, Line
from hmar.sizing.searching import FastSearching, Load, fast_searching, searching
from hmar.sizing.wanted import Wanted
from hmar.values.codes import CODE_BYTES
from hmar.values.fast import FAST_FROM, Search

SNAPSHOTS = 2
"""Generations on the disk while a new one is written."""
GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was computed. Memory and disk are in GiB, times in seconds but for ``search_ms``.

    Parameters
    ----------
    wanted : Wanted
    windows : Interval
        Windows of a frame.
    database_gib, snapshot_gib, disk_gib : Interval
        Disk is that of the database and of ``SNAPSHOTS`` snapshots; files that were sent come on top of it.
    memory_gib : Interval
        Of a machine with one web process, a worker and their decoders, which holds what searches read.
    index_h : Interval
        Hours until all frames are indexed on the cores that were given.
    start_s, rebuild_s : Interval
        To open the snapshot when a web process starts, and to build the index from the database without one.
    search_ms : Interval
        Median of an exact region query that waits for no other.
    cores : Interval
        For the queries alone, if all are exact.
    fast : FastSearching or None
        The same of fast ones; None where they would be exact all the same, or were not measured.
    made : str
        How searches are made where nothing is said: "exact" or "fast".
    fast_from : int or None
        Windows from which they are fast; None for never.
    fast_from_frames : int or None
        Frames with so many.
    advice : tuple of str
    """

    wanted: Wanted
    windows: Interval
    database_gib: Interval
    snapshot_gib: Interval
    disk_gib: Interval
    memory_gib: Interval
    index_h: Interval
    start_s: Interval
    rebuild_s: Interval
    search_ms: Interval
    cores: Interval
    fast: FastSearching | None
    made: Search
    fast_from: int | None
    fast_from_frames: int | None
    advice: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON; ``fast`` is null where there is nothing to tell of fast searches."""
        told = {name: value.to_dict() for name, value in self.intervals()}
        fast = self.fast.intervals().items() if self.fast else ()
        return {
            "frames": self.wanted.frames,
            "threads": self.wanted.threads,
            **told,
            "fast": {name: value.to_dict() for name, value in fast} or None,
            "search": self.made,
            "fast_above": self.wanted.fast_above,
            "fast_from_frames": self.fast_from_frames,
            "advice": list(self.advice),
        }

    def intervals(self) -> Iterator[tuple[str, Interval]]:
        """Yield every figure with its name, but those of fast searches."""
        for name in self.__slots__:
            if isinstance(value := getattr(self, name), Interval):
                yield name, value


def estimate(wanted: Wanted, figures: Figures) -> Estimate:
    """Compute what an archive needs, from what was measured.

    Raises
    ------
    ParameterError
        If no search was measured.
    """
    per_frame = _constant(figures, "windows") if wanted.windows is None else _given(wanted.windows)
    total = round(per_frame.value * wanted.frames)

    def grown(name: str) -> Interval:
        return Line.through(figures.growing[name]).at(wanted.frames, total)

    database, snapshot = (grown(f"{name}_bytes").times(1 / GIB) for name in ("database", "snapshot"))
    processes = _constant(figures, "processes_mib").times(MIB / GIB)
    memory = _held(grown("held_bytes"), total).times(1 / GIB).plus(processes)
    indexing = _constant(figures, "indexed_per_core_s")
    work_h = wanted.frames / (wanted.cores * 3600)
    index_h = Interval(work_h / indexing.value, work_h / indexing.high, work_h / indexing.low, 0.0)
    load = Load(total, wanted.threads, wanted.queries_per_s, _constant(figures, "query_ms"))
    exact, fast = searching(figures.scans, load), fast_searching(figures.fast, load)
    # Among fewer windows a search is exact whatever the setting says.
    fast_from = max(wanted.fast_above, FAST_FROM) if wanted.fast_above else None
    made: Search = "exact" if fast_from is None or total < fast_from else "fast"
    served = fast.searching if fast and made == "fast" else exact
    return Estimate(
        wanted,
        per_frame,
        database,
        snapshot,
        database.plus(snapshot.times(SNAPSHOTS)),
        memory,
        index_h,
        grown("start_s"),
        grown("rebuild_s"),
        exact.search_ms,
        exact.cores,
        fast,
        made=made,
        fast_from=fast_from,
        fast_from_frames=ceil(fast_from / per_frame.value) if fast_from else None,
        advice=tuple(advice(wanted, memory, index_h, served, fast.searching if fast else None)),
    )


def _held(measured: Interval, windows: int) -> Interval:
    """Return the bytes of an index in memory: those of all codes at least, for a region query reads them."""
    codes = float(CODE_BYTES * windows)
    high = max(measured.high, codes * (1 + LEAST_ERROR))
    return Interval(max(measured.value, codes), max(measured.low, codes), high, measured.beyond)


def _constant(figures: Figures, name: str) -> Interval:
    value, low, high = figures.constants[name]
    return Interval(value, low, high, 0.0)


def _given(windows: int) -> Interval:
    return Interval(windows, windows, windows, 0.0)
