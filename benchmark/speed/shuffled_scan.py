"""Fast searches of series whose slices arrived in random order, beside those that arrived in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from benchmark.speed.archive import Archive
from benchmark.speed.fast_recall import recall_at, search_fast
from benchmark.speed.fast_scan import EVERYTHING, KS, fast_row
from benchmark.speed.real_codes import RealCodes
from benchmark.speed.timing import Rounds, interleave
from benchmark.types import Progress
from hmar.ports import CodeIndex
from hmar.values.codes import Query

WHAT = "all frames, slices arrived in random order"
PEER = "the same search of the same frames, arrived in order"


def measure_shuffled_scan(
    archive: Archive,
    shuffled: CodeIndex,
    ordered: CodeIndex,
    codes: RealCodes,
    rounds: Rounds,
    progress: Progress,
) -> list[dict[str, object]]:
    """Time fast searches of the same frames in two orders of arrival in turn; a row for each number of hits.

    Parameters
    ----------
    archive : Archive
        The shuffled one.
    shuffled, ordered : CodeIndex
        Of the same people, on :data:`benchmark.speed.fast_scan.THREADS` threads.
    codes : RealCodes
    rounds : Rounds
    progress : Progress
    """
    rows = []
    for k in KS:
        calls: dict[str, Callable[[int], object]] = {
            WHAT: partial(_ask, shuffled, codes.asked, k),
            PEER: partial(_ask, ordered, codes.asked, k),
        }
        times = interleave(calls, rounds, f"fast searches, slices in random order, {k} hits", progress)
        recall, peers = (
            recall_at(k, index, codes.asked, EVERYTHING, archive.people) for index in (shuffled, ordered)
        )
        row = fast_row(archive, codes, k, WHAT, PEER, recall, (times[WHAT], times[PEER]), rounds)
        rows.append(row | {"peer_recall": round(peers.share, 4)})
    return rows


def _ask(index: CodeIndex, asked: Sequence[Query], k: int, number: int) -> object:
    return search_fast(index, asked[number % len(asked)], k, EVERYTHING)
