"""Region scan: the product's index against faiss.IndexBinaryFlat, and against memory, on the same codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.archive import MODEL, Archive
from benchmark.speed.flat_scan import FlatScan
from benchmark.speed.timing import Milliseconds, Rounds, interleave, ratio_interval, speed_row
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.values.codes import Bits, CodeArray, Query, hamming
from hmar.values.hits import CodeHit
from hmar.values.selection import Selection

NAME = "EmbeddedIndex.search_windows"
GROUPED = "faiss.IndexBinaryFlat, answers grouped by frame"
BARE = "faiss.IndexBinaryFlat.search alone, windows not grouped"
K = 10
EQUAL = "answers equal to the plain ones, order included"
CASES: tuple[tuple[int, Bits], ...] = ((9, 128), (1, 64))
"""Windows of a query and length of code: the product's region query, and the cheapest that there is."""
THREADS = (1, 2)
CHECKED = 3
"""Queries whose answers are compared: the reference computation is slow."""
EVERYTHING = Selection()
_FILL_WINDOWS = 1 << 14
_FLOOR = "floor"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One comparison: bits, windows of a query, and the queries."""

    bits: Bits
    queries: CodeArray

    @property
    def windows(self) -> int:
        """Windows of a query."""
        return int(self.queries.shape[1])

    def query(self, number: int) -> CodeArray:
        """Return the windows of one query, shape (windows, 16)."""
        codes: CodeArray = self.queries[number % len(self.queries)]
        return codes


def measure_scan(
    archive: Archive,
    rounds: Rounds,
    progress: Progress,
    cases: Sequence[tuple[int, Bits]] = CASES,
    threads: Sequence[int] = THREADS,
) -> list[dict[str, object]]:
    """Time queries of people who are not in an archive, on one thread and on two; a row for each combination.

    Every answer of the product has rank, both experts' distances and tie rule in it. The peer of a query of
    one window is FAISS with the grouping by frame that a region search needs; of several, for which FAISS has
    no exact answer, its bare search for all of them, a lower bound of its time. The floor is one sum by numpy
    over the bytes of all codes at that length: the time to read them.

    Parameters
    ----------
    archive : Archive
    rounds : Rounds
    progress : Progress
    cases, threads : sequence
        What to time.
    """
    indexes = {count: EmbeddedIndex(archive.folder, MODEL, count, checked=False) for count in threads}
    rows = []
    for windows, bits in cases:
        flat = filled(archive, bits)
        case = Case(bits, archive.queries(min(rounds.total, len(archive.asked)), windows))
        rows += _compare(archive, indexes, flat, case, rounds, progress)
        del flat  # as large as the codes
    for index in indexes.values():
        index.close()
    return rows


def filled(archive: Archive, bits: Bits) -> FlatScan:
    """Return FAISS over an archive's windows."""
    flat = FlatScan(bits, archive.offsets)
    for at in range(0, archive.windows, _FILL_WINDOWS):
        rows = slice(at, min(at + _FILL_WINDOWS, archive.windows))
        flat.codes[rows] = archive.codes[: bits // 8, rows].T
    return flat


def _compare(
    archive: Archive,
    indexes: dict[int, EmbeddedIndex],
    flat: FlatScan,
    case: Case,
    rounds: Rounds,
    progress: Progress,
) -> list[dict[str, object]]:
    calls: dict[str, Callable[[int], object]] = {
        f"{count} threads": partial(_asked, index, case) for count, index in indexes.items()
    }
    short = case.bits // 8
    if case.windows == 1:
        calls[GROUPED] = lambda number: flat.nearest_frames(case.query(number)[0, :short], K)
    calls[BARE] = lambda number: flat.nearest_windows(case.query(number)[:, :short], min(K, archive.windows))
    words = flat.codes.reshape(-1).view(np.uint64)
    calls[_FLOOR] = lambda _number: words.sum()
    what = f"scan at {case.bits} bits by {case.windows} windows"
    times = interleave(calls, rounds, what, progress)
    compared = case.queries[:CHECKED]
    expected = [ranked(archive, codes, *_nearest(flat, codes[:, :short])) for codes in compared]
    equal = {
        count: sum(
            found(search(index, codes, case.bits)) == answer
            for codes, answer in zip(compared, expected, strict=True)
        )
        for count, index in indexes.items()
    }
    peer = GROUPED if case.windows == 1 else BARE
    return [
        _row(
            archive,
            case,
            count,
            times[f"{count} threads"],
            peer,
            times,
            rounds,
            (equal[count], len(compared)),
        )
        for count in indexes
    ]


def _row(
    archive: Archive,
    case: Case,
    threads: int,
    own_ms: Milliseconds,
    peer: str,
    times: dict[str, Milliseconds],
    rounds: Rounds,
    equal: tuple[int, int],
) -> dict[str, object]:
    ratio_floor, low, high = ratio_interval(times[_FLOOR], own_ms)
    row = speed_row(
        "scan",
        f"{NAME}, {case.windows} window{'s' if case.windows > 1 else ''}",
        peer,
        own_ms,
        times[peer],
        rounds,
        setting=f"{archive.frames} frames, {archive.windows} windows, {case.bits} bits, k {K}, index mapped",
        threads=threads,
        quality={EQUAL: f"{equal[0]} of {equal[1]}"},
    )
    return row | {
        "frames": archive.frames,
        "windows": archive.windows,
        "bits": case.bits,
        "query_windows": case.windows,
        "faiss_p50_ms": row["peer_p50_ms"],
        "faiss_bare_p50_ms": round(float(np.median(times[BARE])), 4),
        "floor_ms": round(float(np.median(times[_FLOOR])), 4),
        "floor_bytes": archive.windows * case.bits // 8,
        "ratio_faiss": row["ratio"],
        "ratio_floor": round(ratio_floor, 3),
        "ratio_floor_ci95": [round(low, 3), round(high, 3)],
        "identical": equal[0] == equal[1],
    }


def _asked(index: EmbeddedIndex, case: Case, number: int) -> list[CodeHit]:
    return search(index, case.query(number), case.bits)


def search(
    index: EmbeddedIndex, codes: CodeArray, bits: Bits, selection: Selection = EVERYTHING
) -> list[CodeHit]:
    """Search for the windows of a query, shape (Q, 16), in what is selected."""
    return index.search_windows(Query(codes[0], codes, (0.0, 1.0)), K, bits, selection)


def found(hits: Sequence[CodeHit]) -> list[tuple[int, float]]:
    """Return (frame, distance) of hits; frames count from 0."""
    return [(hit.entry_id - 1, hit.local_distance) for hit in hits]


def _nearest(flat: FlatScan, codes: CodeArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (sums, frames) of every frame that is not farther than the K-th nearest."""
    if len(codes) == 1:
        return flat.nearest_frames(codes[0], K)
    sums = flat.frame_sums(codes)
    reach = np.sort(sums)[min(K, len(sums)) - 1]
    frames = np.flatnonzero(sums <= reach)
    return sums[frames], frames


def ranked(
    archive: Archive, codes: CodeArray, sums: NDArray[np.int64], frames: NDArray[np.int64]
) -> list[tuple[int, float]]:
    """Return (frame, distance) of the first K by distance, by distance at 128 bits, by frame.

    Parameters
    ----------
    archive : Archive
    codes : ndarray of uint8, shape (Q, 16)
        The query's windows; a distance is the mean over them.
    sums, frames : ndarray of int64, shape (n,)
        Every frame that is not farther than the K-th nearest, and its distances' sum.
    """
    full = np.array([_sum_at_128_bits(archive, frame, codes) for frame in frames.tolist()], np.int64)
    order = np.lexsort((frames, full, sums))[:K]
    return [(int(frames[place]), float(sums[place] / len(codes))) for place in order]


def _sum_at_128_bits(archive: Archive, frame: int, codes: CodeArray) -> int:
    windows = archive.window_codes(frame)
    return sum(int(hamming(windows, code).min()) for code in codes)
