"""What an archive needs: memory, disk, cores, and how long things take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hmar.errors import ParameterError
from hmar.sizing.figures import Figures, Scan
from hmar.sizing.fit import LEAST_ERROR, Interval, Line
from hmar.values.codes import CODE_BYTES

QUERY_WINDOWS, BITS = 9, 128
"""A region query as users ask it."""
BUSY = 0.7
"""Share of a core that may be busy before answers wait for each other."""
SNAPSHOTS = 2
"""Generations on the disk while a new one is written."""
GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """The archive that is planned.

    Parameters
    ----------
    frames : int
        From 1; all slices of all series.
    windows : int or None
        Windows of a frame; None takes what the shipped model gives of body CT.
    queries_per_s : float
        Region queries a second in busy hours, from 0.
    threads : int
        Threads of one search (HMAR_SCAN_THREADS).
    cores : int
        Cores that index.
    memory_gib : float
        Memory of the largest machine that can be had.
    patience_s : float
        The longest that a search may take.
    """

    frames: int
    windows: int | None = None
    queries_per_s: float = 1.0
    threads: int = 2
    cores: int = 2
    memory_gib: float = 256.0
    patience_s: float = 2.0

    def __post_init__(self) -> None:
        for name in ("frames", "threads", "cores"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}.", "Give 1 or more.")
        if self.windows is not None and self.windows < 1:
            raise ParameterError(f"windows is {self.windows}.", 'Give 1 or more, or "auto".')
        if not self.queries_per_s >= 0:
            raise ParameterError(f"qps is {self.queries_per_s}.", "Give 0 or more.")


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
        Median of a region query that waits for no other.
    cores : Interval
        For the queries alone.
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
    advice: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        told = {name: value.to_dict() for name, value in self.intervals()}
        return {
            "frames": self.wanted.frames,
            "threads": self.wanted.threads,
            **told,
            "advice": list(self.advice),
        }

    def intervals(self) -> Iterator[tuple[str, Interval]]:
        """Yield every figure with its name."""
        for name in self.__slots__:
            if isinstance(value := getattr(self, name), Interval):
                yield name, value


def estimate(wanted: Wanted, figures: Figures) -> Estimate:
    """Compute what an archive needs, from what was measured.

    Raises
    ------
    ParameterError
        If no search on any number of threads was measured.
    """
    per_frame = _constant(figures, "windows") if wanted.windows is None else _given(wanted.windows)
    total = round(per_frame.value * wanted.frames)

    def grown(name: str) -> Interval:
        return Line.through(figures.growing[name]).at(wanted.frames, total)

    database, snapshot = (grown(f"{name}_bytes").times(1 / GIB) for name in ("database", "snapshot"))
    processes = _constant(figures, "processes_mib").times(MIB / GIB)
    memory = _held(grown("held_bytes"), total).times(1 / GIB).plus(processes)
    search = _search(figures, wanted, total).plus(_constant(figures, "query_ms"))
    busy = _search(figures, wanted, total).times(wanted.threads).plus(_constant(figures, "query_ms"))
    cores = busy.times(wanted.queries_per_s / 1000 / BUSY)
    indexing = _constant(figures, "indexed_per_core_s")
    work_h = wanted.frames / (wanted.cores * 3600)
    index_h = Interval(work_h / indexing.value, work_h / indexing.high, work_h / indexing.low, 0.0)
    needs = (database, snapshot, database.plus(snapshot.times(SNAPSHOTS)), memory, index_h)
    times = (grown("start_s"), grown("rebuild_s"), search, cores)
    return Estimate(wanted, per_frame, *needs, *times, tuple(_advice(wanted, memory, search, cores, index_h)))


def _held(measured: Interval, windows: int) -> Interval:
    """Return the bytes of an index in memory: those of all codes at least, for a region query reads them."""
    codes = float(CODE_BYTES * windows)
    high = max(measured.high, codes * (1 + LEAST_ERROR))
    return Interval(max(measured.value, codes), max(measured.low, codes), high, measured.beyond)


def _advice(
    wanted: Wanted, memory: Interval, search: Interval, cores: Interval, index_h: Interval
) -> Iterator[str]:
    """Yield when one machine with SQLite is not enough."""
    if memory.high > wanted.memory_gib:
        yield (
            f"Memory may exceed {wanted.memory_gib:g} GiB: plan several machines, each with a share of the "
            "frames (docs/scaling.md); with less memory, searches read the disk."
        )
    if search.high > 1000 * wanted.patience_s:
        yield (
            f"A search may take longer than {wanted.patience_s:g} s: give it more threads (--threads), "
            "select with filters, or plan several machines."
        )
    if cores.high > wanted.cores:
        yield (
            f"Up to {cores.high:.0f} cores are busy with queries and {wanted.cores} are given: add cores, or "
            "web servers on machines of their own, which need PostgreSQL."
        )
    if index_h.value > 24 * 7:
        yield (
            f"Indexing takes {index_h.value / 24:.0f} days: add workers. Workers on other machines need "
            "PostgreSQL (HMAR_DATABASE_URL)."
        )


def _search(figures: Figures, wanted: Wanted, total: int) -> Interval:
    asked = [scan for scan in figures.scans if (scan.bits, scan.query_windows) == (BITS, QUERY_WINDOWS)]
    if not asked:
        raise ParameterError("No search was measured.", "Write the figures anew with 'hmar bench size'.")
    known = [scan for scan in asked if scan.threads == wanted.threads]
    if known:
        return _line(known).at(0, total)
    # More threads than were measured share the work of those that were: that is an assumption.
    most = max(scan.threads for scan in asked)
    guessed = (
        _line([scan for scan in asked if scan.threads == most]).at(0, total).times(most / wanted.threads)
    )
    return Interval(guessed.value, guessed.low, guessed.high * 1.5, max(guessed.beyond, 1.01))


def _line(scans: list[Scan]) -> Line:
    return Line.through([scan.p50_ms._replace(frames=0) for scan in scans])


def _constant(figures: Figures, name: str) -> Interval:
    value, low, high = figures.constants[name]
    return Interval(value, low, high, 0.0)


def _given(windows: int) -> Interval:
    return Interval(windows, windows, windows, 0.0)
