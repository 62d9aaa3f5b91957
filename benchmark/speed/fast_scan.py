"""Fast searches of drawn people: time beside the exact search's, and the share of the nearest found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmark.speed.archive import COMMON, RARE, TENTH, Archive
from benchmark.speed.fast_recall import BITS, FastCase, Recall, recall_at, search_exact, search_fast
from benchmark.speed.real_codes import RealCodes
from benchmark.speed.timing import Milliseconds, Rounds, interleave, speed_row
from benchmark.types import Progress
from hmar.ports import CodeIndex
from hmar.values.codes import Query
from hmar.values.selection import Selection

NAME = "EmbeddedIndex.search_fast"
PEER = "the exact search"
KS = (10, 100)
THREADS = 2
EVERYTHING = FastCase("all frames", "local", Selection())
CASES = (
    EVERYTHING,
    FastCase("a filter that half of the people pass", "local", COMMON),
    FastCase("a filter that one person in ten passes", "local", TENTH),
    FastCase("a filter that one person in a hundred passes", "local", RARE),
    FastCase("one hit per patient", "local", Selection(group_by="patient")),
    FastCase("mode auto", "auto", Selection()),
)


def measure_fast_scan(
    archive: Archive,
    index: CodeIndex,
    codes: RealCodes,
    rounds: Rounds,
    progress: Progress,
    cases: Sequence[FastCase] = CASES,
) -> list[dict[str, object]]:
    """Time fast searches and exact ones in turn, and compare their answers to all queries.

    Parameters
    ----------
    archive : Archive
    index : CodeIndex
        Of the archive, on ``THREADS`` threads.
    codes : RealCodes
        What the archive is drawn from; its queries are asked.
    rounds : Rounds
    progress : Progress
    cases : sequence of FastCase
        What to ask for, each with 10 hits and with 100.

    Returns
    -------
    list of dict
        A row for each case and number of hits.
    """
    rows = []
    for case in cases:
        for k in KS:
            times = _timed(k, index, codes.asked, case, rounds, progress)
            recall = recall_at(k, index, codes.asked, case, archive.people)
            row = fast_row(archive, codes, k, case.name, PEER, recall, times, rounds)
            rows.append(row | {"exact_p50_ms": row["peer_p50_ms"]})
    return rows


def made_fast(rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return the rows whose searches were all fast: the others' times grow along another line."""
    return [row for row in rows if row["made"] == "fast"]


def _timed(
    k: int,
    index: CodeIndex,
    asked: Sequence[Query],
    case: FastCase,
    rounds: Rounds,
    progress: Progress,
) -> tuple[Milliseconds, Milliseconds]:
    calls: dict[str, Callable[[int], object]] = {
        NAME: lambda number: search_fast(index, asked[number % len(asked)], k, case),
        PEER: lambda number: search_exact(index, asked[number % len(asked)], k, case),
    }
    times = interleave(calls, rounds, f"fast searches, {case.name}, {k} hits", progress)
    return times[NAME], times[PEER]


def fast_row(
    archive: Archive,
    codes: RealCodes,
    k: int,
    what: str,
    peer: str,
    recall: Recall,
    times: tuple[Milliseconds, Milliseconds],
    rounds: Rounds,
) -> dict[str, object]:
    """Return the row of one comparison: times of the fast search and of its peer, and what it found."""
    row = speed_row(
        "scan",
        f"{NAME}, k {k}, {what}",
        peer,
        *times,
        rounds,
        setting=f"{archive.frames} frames, {archive.windows} windows, {BITS} bits, k {k}, index mapped",
        threads=THREADS,
        quality={f"recall@{k} (ANN)": round(recall.share, 4), "expected": round(recall.expected, 4)},
        frames=archive.frames,
        windows=archive.windows,
        bits=BITS,
        query_windows=len(codes.asked[0].window_codes),
        k=k,
        queries=len(codes.asked),
        askers=codes.askers,
        people=int(archive.people[-1]),
    )
    return row | recall.fields()
