"""From ranked frames to the figures of queries, under both questions; ties by expectation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmark.lesions.ranking import Ranked
from benchmark.lesions.slices import ArchiveSlice, Right
from benchmark.metrics.ties import average_precision, expected_hits, tie_groups

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

RANKS = (1, 3, 5, 10)
FIGURES = ("ap", "share", *(f"p_at_{rank}" for rank in RANKS))
NEIGHBOURS = 1
"""Slices on either side of the query's in its series that are left out with it."""

Scores = dict[str, Values]
"""Each of FIGURES by query, (Q,); NaN where there is nothing to find."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What Q queries may find among F frames.

    Parameters
    ----------
    wanted : ndarray of bool, shape (Q, F)
        Frames of the people whose lesion is asked for.
    left_out : ndarray of bool, shape (Q, F)
        Frames that are not in this query's gallery.
    within : bool
        Whether P@k has the denominator min(k, R); it is k otherwise.
    """

    wanted: Mask
    left_out: Mask
    within: bool

    def findable(self, right: Sequence[Right]) -> Mask:
        """Return the frames that can be hit: a served window of theirs shows the lesion, (Q, F)."""
        shown = np.array([bool(windows.any()) for windows in right], bool)
        return shown & self.wanted & ~self.left_out


def own_lesion(queries: Sequence[ArchiveSlice], frames: Sequence[ArchiveSlice]) -> Question:
    """Ask for the same person's lesion: the query's slice and its neighbours in the series are left out."""
    same = _same([(one.source.person,) for one in queries], [(one.source.person,) for one in frames])
    series = _same(_series(queries), _series(frames))
    places = np.array([[one.source.place for one in frames]])
    apart = np.abs(np.array([[one.source.place] for one in queries]) - places)
    return Question(same, series & (apart <= NEIGHBOURS), within=True)


def others_lesions(queries: Sequence[ArchiveSlice], frames: Sequence[ArchiveSlice]) -> Question:
    """Ask for the lesions of other people: all frames of the query's person are left out."""
    same = _same([(one.source.person,) for one in queries], [(one.source.person,) for one in frames])
    return Question(np.ones_like(same), same, within=False)


def score(question: Question, ranked: Ranked, right: Sequence[Right]) -> Scores:
    """Measure rankings.

    Parameters
    ----------
    question : Question
    ranked : Ranked
    right : sequence of ndarray of bool
        For each frame, which of its windows show the lesion.

    Returns
    -------
    dict of str to ndarray of float64, shape (Q,)
        ``ap``, over all ranks, denominator R, the frames that can be hit; a frame whose box misses the lesion
        is no hit. ``share``, hits among the first R over R. ``p_at_k``, hits among the first k.
    """
    hit = np.stack([windows[ranked.window[:, frame]] for frame, windows in enumerate(right)], axis=1)
    relevant = hit & question.wanted & ~question.left_out
    total = question.findable(right).sum(axis=1)
    groups = tie_groups(ranked.distance, relevant, question.left_out)  # type: ignore[arg-type]
    hits = groups.total_relevant
    found = np.where(hits > 0, average_precision(groups) * hits, 0.0)
    ranks = np.arange(1, max(int(total.max(initial=0)), *RANKS) + 1)
    expected = expected_hits(groups, ranks)
    return _figures(found, expected, total, question.within)


def chance(question: Question, right: Sequence[Right]) -> Scores:
    """Return the exact expectation of :func:`score` where frames come in random order, with a random window.

    With q the share of a frame's windows that show the lesion wanted (0 for other frames), n frames, m the
    mean of q and m2 the mean of q q' over pairs of frames: rank j holds a hit with probability m, and with
    one before it at any earlier rank with probability m2, so that AP is sum over j of (m + (j - 1) m2) / j,
    over R.
    """
    shares = np.array([windows.mean() if len(windows) else 0.0 for windows in right])
    q = np.where(question.wanted & ~question.left_out, shares, 0.0)
    frames = (~question.left_out).sum(axis=1)
    total = question.findable(right).sum(axis=1)
    mean = q.sum(axis=1) / np.maximum(frames, 1)
    pairs = (q.sum(axis=1) ** 2 - (q**2).sum(axis=1)) / np.maximum(frames * (frames - 1), 1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, frames.max(initial=1) + 1))])[frames]
    found = mean * harmonic + pairs * (frames - harmonic)
    ranks = np.arange(1, max(int(total.max(initial=0)), *RANKS) + 1)
    expected = mean[:, None] * np.minimum(ranks[None], frames[:, None])
    return _figures(found, expected, total, question.within)


def permuted(question: Question, right: Sequence[Right], seed: int) -> tuple[Question, list[Right]]:
    """Return a question and a truth without meaning: what any ranking finds then is chance.

    The windows of each frame are shuffled among themselves, and for each query which frames of its gallery
    are wanted. As many stay wanted, and what a query leaves out stays as it is.
    """
    random = np.random.default_rng(seed)
    wanted = question.wanted.copy()
    for row, left_out in zip(wanted, question.left_out, strict=True):
        row[~left_out] = random.permutation(row[~left_out])
    return replace(question, wanted=wanted), [random.permutation(one) for one in right]


def _figures(found: Values, expected: Values, total: NDArray[np.int64], within: bool) -> Scores:
    """Return figures from the sum of precisions (Q,), the hits up to each rank (Q, K) and R (Q,)."""
    some = total > 0
    rows = np.arange(len(total))
    scores = {
        "ap": found / np.maximum(total, 1),
        "share": expected[rows, np.maximum(total, 1) - 1] / np.maximum(total, 1),
    }
    for rank in RANKS:
        denominator = np.minimum(rank, np.maximum(total, 1)) if within else rank
        scores[f"p_at_{rank}"] = expected[:, rank - 1] / denominator
    return {name: np.where(some, values, np.nan) for name, values in scores.items()}


def _same(these: Sequence[tuple[str, ...]], those: Sequence[tuple[str, ...]]) -> Mask:
    """Return where keys are equal, (Q, F)."""
    numbers: dict[tuple[str, ...], int] = {}
    first, second = (
        np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64) for keys in (these, those)
    )
    same: Mask = first[:, None] == second[None]
    return same


def _series(slices: Sequence[ArchiveSlice]) -> list[tuple[str, ...]]:
    return [(one.source.person, one.source.series) for one in slices]
