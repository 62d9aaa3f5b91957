"""From figures of queries to those of a row: means over people, their intervals, and differences to peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmark.lesions.scoring import FIGURES, Scores, Values
from benchmark.metrics.averages import per_class
from benchmark.metrics.bootstrap import Interval, bootstrap_means

WITH_INTERVALS = ("ap", "share", "p_at_10")
NAMES = {"ap": "macro_map"} | {name: name for name in FIGURES if name != "ap"}
"""What figures are called in rows: AP is a mean over people there."""

Row = dict[str, object]
Labels = NDArray[np.int64]


def row_figures(scores: Scores, people: Labels, kinds: Sequence[str]) -> Row:
    """Return the figures of a row: the mean over people of the mean over each person's queries.

    Parameters
    ----------
    scores : Scores
        Of Q queries.
    people : ndarray of int64, shape (Q,)
        Whose lesion each query is.
    kinds : sequence of str
        What the data say of each query's lesion.

    Returns
    -------
    dict
        ``ci95`` is the interval of macro_map, ``share_ci95`` and ``p_at_10_ci95`` those of the others, all by
        drawing people, of whom there are ``clusters``. ``per_class`` has macro_map by kind of lesion.
    """
    asked = ~np.isnan(scores["ap"])
    intervals = {name: _interval(_by_person(scores[name], people)) for name in WITH_INTERVALS}
    return {
        **{NAMES[name]: _mean(_by_person(scores[name], people)) for name in FIGURES},
        "ci95": _bounds(intervals["ap"]),
        "share_ci95": _bounds(intervals["share"]),
        "p_at_10_ci95": _bounds(intervals["p_at_10"]),
        "ci95_unit": "people",
        "clusters": len(np.unique(people[asked])),
        "queries": int(np.count_nonzero(asked)),
        "without_relevant": int(np.count_nonzero(~asked)),
        "per_class": _by_kind(scores["ap"], people, kinds),
    }


def difference(a: Scores, b: Scores, people: Labels) -> dict[str, list[float]]:
    """Return mean, low and high of a - b for each figure with an interval, paired person by person."""
    found = {}
    for name in WITH_INTERVALS:
        interval = _interval(_by_person(a[name] - b[name], people))
        found[NAMES[name]] = [interval.mean, interval.low, interval.high]
    return found


def ratio(row: Mapping[str, object], other: Mapping[str, object]) -> dict[str, float | None]:
    """Return a row's figures divided by those of another; None where that has 0."""
    found: dict[str, float | None] = {}
    for name in WITH_INTERVALS:
        above, below = row[NAMES[name]], other[NAMES[name]]
        sound = isinstance(above, float) and isinstance(below, float) and below > 0
        found[NAMES[name]] = above / below if sound else None  # type: ignore[operator]
    return found


def _mean(by_person: Values) -> float:
    """Return the mean over people, NaN where nobody's lesion can be found."""
    return float(by_person.mean()) if len(by_person) else float("nan")


def _by_person(values: Values, people: Labels) -> Values:
    """Return the mean over each person's queries, (P,)."""
    return np.array(list(per_class(values, people).values()), np.float64)


def _by_kind(values: Values, people: Labels, kinds: Sequence[str]) -> dict[str, float]:
    """Return the mean over people by kind of lesion; a kind that none of the queries has is left out."""
    named = np.array(kinds, dtype=object)
    means = {
        str(kind): _by_person(values[named == kind], people[named == kind]) for kind in sorted(set(kinds))
    }
    return {kind: float(found.mean()) for kind, found in means.items() if len(found)}


def _interval(by_person: Values) -> Interval:
    return bootstrap_means(by_person[:, None])


def _bounds(interval: Interval) -> list[float]:
    return [interval.low, interval.high]
