"""What fast searches find of what exact ones find, and what they tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.found_share import Ranked, found_share
from hmar.index.distances import fused_distance
from hmar.ports import CodeIndex
from hmar.values.codes import Bits, Query
from hmar.values.fast import EXACT, FastHits
from hmar.values.hits import CodeHit, Mode
from hmar.values.selection import Selection

BITS: Bits = 128


@dataclass(frozen=True, slots=True)
class FastCase:
    """What is asked for: a name in words, the mode, "local" or "auto", and the selection."""

    name: str
    mode: Mode
    selection: Selection


@dataclass(frozen=True, slots=True)
class Recall:
    """How fast searches of some queries were made, and what they found.

    Parameters
    ----------
    made : str
        "fast", "exact", or "exact and fast" where some were made in one way and some in the other.
    share, least : float
        Share of the k nearest found: mean, and least of a query.
    expected : float
        The share that answers told: mean.
    ranked_share : float
        Share of the frames, of those that may be found, that were compared whole: mean.
    """

    made: str
    share: float
    least: float
    expected: float
    ranked_share: float

    def fields(self) -> dict[str, object]:
        """Return it as a row of results tells it."""
        return {
            "made": self.made,
            "recall": round(self.share, 4),
            "least_recall": round(self.least, 4),
            "expected_recall": round(self.expected, 4),
            "ranked_share": round(self.ranked_share, 4),
        }


def search_exact(index: CodeIndex, query: Query, k: int, case: FastCase) -> Sequence[CodeHit]:
    """Return the k nearest of a case."""
    search = index.search_fused if case.mode == "auto" else index.search_windows
    return search(query, k, BITS, case.selection)


def search_fast(index: CodeIndex, query: Query, k: int, case: FastCase) -> FastHits:
    """Return what the product answers where a fast search is asked for, which may be the exact answer."""
    found = index.search_fast(query, k, case.mode, BITS, case.selection)
    return FastHits(search_exact(index, query, k, case), EXACT) if found is None else found


def recall_at(
    k: int, index: CodeIndex, asked: Sequence[Query], case: FastCase, people: NDArray[np.int64]
) -> Recall:
    """Search fast and exactly with every query, and compare.

    Parameters
    ----------
    k : int
        Hits asked for.
    index : CodeIndex
        Its entries count from 1.
    asked : sequence of Query
        At least one.
    case : FastCase
        Where it groups by patient, people are compared with the distances of their nearest frames.
    people : ndarray of int64, shape (F,)
        Person of each frame.
    """
    shares, told = [], []
    for query in asked:
        nearest = _ranked(search_exact(index, query, k, case), query, case, people)
        answer = search_fast(index, query, k, case)
        shares.append(found_share(_ranked(answer.hits, query, case, people), nearest, k))
        told.append(answer.thoroughness)
    return Recall(
        " and ".join(sorted({one.search for one in told})),
        float(np.mean(shares)),
        min(shares),
        float(np.mean([one.expected_recall for one in told])),
        float(np.mean([one.ranked_share for one in told])),
    )


def _ranked(hits: Sequence[CodeHit], query: Query, case: FastCase, people: NDArray[np.int64]) -> Ranked:
    grouped = case.selection.group_by is not None
    return [
        (int(people[hit.entry_id - 1]) if grouped else hit.entry_id, _distance(hit, query, case))
        for hit in hits
    ]


def _distance(hit: CodeHit, query: Query, case: FastCase) -> float:
    """Return the distance that ranks a hit; every drawn frame has windows."""
    if case.mode != "auto":
        return hit.local_distance
    return float(fused_distance(query.gate, hit.global_distance, hit.local_distance))
