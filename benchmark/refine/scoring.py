"""Judging the first hits of a query, and measuring what is left, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.metrics.averages import per_class
from benchmark.metrics.bootstrap import bootstrap_means
from benchmark.metrics.ties import average_precision, expected_hits, tie_groups
from benchmark.refine.material import Asked, Flags
from benchmark.refine.methods import NONE, Method, Values, signs_of
from benchmark.refine.searching import Archive, Ranked

JUDGED = 10
"""Hits of the first page, all of which are judged by what they show."""
RANK = 10
METRIC = (
    "one hit a slice, right if its box shows the structure; the first 10 hits are judged and left out of all "
    "rankings; mAP over the other slices that show it, P@10 over min(10, R); means over people of means over "
    "structures"
)
FIGURES = ("macro_map", "p_at_10")

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Scored:
    """One query: how many of its first hits were right, and the figures of each method."""

    person: str
    structure: str
    relevant: int
    figures: Mapping[str, tuple[float, float]]


def score(archive: Archive, asked: Asked, methods: Mapping[str, Method]) -> Scored | None:
    """Ask, judge the first page, and measure all methods on the rest; None where nothing else is to be found.

    Slices of other people are searched, those of which it is known whether they show the structure.
    """
    query = signs_of(asked.codes)
    gallery = np.array(
        [one.person != asked.person and asked.structure in one.known for one in archive.slices]
    )
    findable = gallery & np.array([asked.structure in one.shows for one in archive.slices])
    first = archive.ranked(query)
    order = np.lexsort((np.arange(len(gallery)), first.distance))
    page = order[gallery[order]][:JUDGED]
    left = gallery.copy()
    left[page] = False
    total = int(np.count_nonzero(findable & left))
    if not total:
        return None
    right = archive.shown(asked.structure, first)
    relevant = [archive.nearest_windows(query, at) for at in page[right[page]].tolist()]
    others = [archive.nearest_windows(query, at) for at in page[~right[page]].tolist()]
    figures = {}
    for name, method in methods.items():
        ranked = first if name == NONE else archive.ranked(method(query, relevant, others))
        figures[name] = _figures(ranked, archive.shown(asked.structure, ranked) & left, left, total)
    return Scored(asked.person, asked.structure, len(relevant), figures)


def _figures(ranked: Ranked, hits: Flags, left: Flags, total: int) -> tuple[float, float]:
    """Return average precision and P@10; a slice with another box is no hit, but counts in R."""
    groups = tie_groups(ranked.distance[None].astype(np.float32), hits[None], ~left[None])
    if not hits.any():
        return 0.0, 0.0
    precision = float(average_precision(groups)[0]) * np.count_nonzero(hits) / total
    found = float(expected_hits(groups, np.array([RANK], np.int64))[0, 0])
    return precision, found / min(RANK, total)


def row_of(scored: Sequence[Scored], name: str) -> Row:
    """Return the figures of a method, with intervals over people, and its gain over the query as it was."""
    row: Row = {}
    gains = {}
    for number, figure in enumerate(FIGURES):
        values = _by_person(scored, [one.figures[name][number] for one in scored])
        before = _by_person(scored, [one.figures[NONE][number] for one in scored])
        interval, gain = bootstrap_means(values[:, None]), bootstrap_means((values - before)[:, None])
        row[figure] = interval.mean
        if figure == "macro_map":
            row["ci95"] = [interval.low, interval.high]
        gains[figure] = [gain.mean, gain.low, gain.high]
    return {
        **row,
        "ci95_unit": "people",
        "clusters": len({one.person for one in scored}),
        "queries": len(scored),
        "structures": len({one.structure for one in scored}),
        "judged_relevant": float(np.mean([one.relevant for one in scored])),
        "difference_to": {} if name == NONE else {NONE: gains},
        "by_judged": _by_judged(scored, name),
    }


def _by_person(scored: Sequence[Scored], values: Sequence[float]) -> Values:
    """Return, for each person, the mean over structures of the mean over queries, (P,)."""
    found: dict[str, dict[str, list[float]]] = {}
    for one, value in zip(scored, values, strict=True):
        found.setdefault(one.person, {}).setdefault(one.structure, []).append(value)
    return np.array(
        [np.mean([np.mean(each) for each in by_structure.values()]) for by_structure in found.values()]
    )


def _by_judged(scored: Sequence[Scored], name: str) -> dict[str, float]:
    """Return the mAP over queries by how many of the first page were right: none, some or all."""
    kinds = np.array([(one.relevant > 0) + (one.relevant == JUDGED) for one in scored])
    means = per_class(np.array([one.figures[name][0] for one in scored]), kinds)
    return {("none", "some", "all")[kind]: value for kind, value in means.items()}
