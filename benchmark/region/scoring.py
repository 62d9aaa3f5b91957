"""From descriptors to the rows of the region protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.figures import bootstrap_means, distances, macro, micro, per_class, rank_metrics
from benchmark.region.planes import SIDES, Plane, windows_of
from benchmark.region.queries import (
    AREA_BINS_CM2,
    RegionQuery,
    answerable,
    area_bin,
    gallery_labels,
    overlap,
    structure_boxes,
    window_in_grid,
)
from benchmark.region.volumes import NO_STRUCTURE
from benchmark.types import Descriptors
from hmar.values.geometry import Box

Values = NDArray[np.float64]

_SHARES = ("p_at_1", "p_at_3", "p_at_5", "p_at_10", "recall_at_10", "iou")
_FIELDS = ("ap", *_SHARES, "structures", "bins")
_SHUFFLE = 3
_BINNED = ("macro_map", "p_at_10", "iou")


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One direction, the same for all peers: queries by size, and the other patient's gallery.

    Parameters
    ----------
    direction : str
        "query->gallery".
    queries : sequence of RegionQuery
        In order of size.
    planes : sequence of Plane
        The query's.
    gallery : sequence of Plane
        The other patient's.
    boxes : mapping
        The gallery's structures: (plane, structure) to box in grid pixels.
    without_relevant : int
        Queries that were left out because the gallery has no relevant window.
    partly : bool
        Whether only some structures are drawn in the gallery: windows whose centre shows none of them are
        then neither relevant nor irrelevant, and are left out of it.
    """

    direction: str
    queries: Sequence[RegionQuery]
    planes: Sequence[Plane]
    gallery: Sequence[Plane]
    boxes: Mapping[tuple[int, int], Box]
    without_relevant: int = 0
    partly: bool = False

    def of_size(self, size: int) -> list[RegionQuery]:
        """Return the queries of one window size."""
        return [query for query in self.queries if query.size == size]

    def counted(self, size: int) -> NDArray[np.int64]:
        """Return the numbers of the gallery's windows of one size that are ranked, (N,)."""
        labels = gallery_labels(self.gallery, SIDES[size])
        return np.flatnonzero(labels != NO_STRUCTURE) if self.partly else np.arange(len(labels))


def make_side(
    direction: str,
    queries: Sequence[RegionQuery],
    planes: Sequence[Plane],
    gallery: Sequence[Plane],
    partly: bool = False,
) -> Side:
    """Prepare one direction; queries with nothing to find are left out and counted."""
    kept = sorted(answerable(queries, gallery), key=lambda query: query.size)
    left_out = len(queries) - len(kept)
    return Side(direction, kept, planes, gallery, structure_boxes(gallery), left_out, partly)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Figures of Q queries, one value each.

    Ties are resolved by expectation, see :mod:`benchmark.metrics.figures`.

    Parameters
    ----------
    ap : ndarray of float64, shape (Q,)
        Average precision over all windows of the gallery of the query's size.
    p_at_1, p_at_3, p_at_5, p_at_10, recall_at_10 : ndarray of float64, shape (Q,)
        Denominators 1, 3, 5, 10 and R.
    iou : ndarray of float64, shape (Q,)
        Of the first window with the box of the query's structure on that slice, 0 where the slice does not
        show it; the mean over windows tied for the first rank.
    structures, bins : ndarray of int64, shape (Q,)
        Structure and area bin of each query.
    """

    ap: Values
    p_at_1: Values
    p_at_3: Values
    p_at_5: Values
    p_at_10: Values
    recall_at_10: Values
    iou: Values
    structures: NDArray[np.int64]
    bins: NDArray[np.int64]


def score_size(
    side: Side, size: int, described: Descriptors, gallery: Descriptors, permuted: bool = False
) -> Scores:
    """Measure the queries of one size against every window of that size in the other volume.

    ``permuted`` shuffles the structures among the gallery's windows first: what is found then is chance.
    """
    queries, counted = side.of_size(size), side.counted(size)
    structures = np.array([query.structure for query in queries], np.int64)
    labels = gallery_labels(side.gallery, SIDES[size])[counted]
    if permuted:
        labels = np.random.default_rng(_SHUFFLE).permutation(labels)
    gallery = gallery[counted]
    ranked = rank_metrics(described, gallery, structures, labels, ks=(1, 3, 5, 10))
    return Scores(
        ap=ranked.ap,
        p_at_1=ranked.precision[1],
        p_at_3=ranked.precision[3],
        p_at_5=ranked.precision[5],
        p_at_10=ranked.precision[10],
        recall_at_10=ranked.recall10,
        iou=_first_overlaps(side, size, queries, described, gallery),
        structures=structures,
        bins=np.array([area_bin(query.area_mm2) for query in queries], np.int64),
    )


def _first_overlaps(
    side: Side, size: int, queries: Sequence[RegionQuery], described: Descriptors, gallery: Descriptors
) -> Values:
    every = list(windows_of(side.gallery, SIDES[size]))
    windows = [every[number] for number in side.counted(size).tolist()]
    found = np.empty(len(queries))
    for index, (query, row) in enumerate(zip(queries, distances(described, gallery), strict=True)):
        first = (windows[place] for place in np.nonzero(row == row.min())[0])
        found[index] = np.mean(
            [
                overlap(window_in_grid(r, c, SIDES[size]), side.boxes.get((plane, query.structure)))
                for plane, r, c in first
            ]
        )
    return found


def join(parts: Sequence[Scores]) -> Scores:
    """Concatenate scores."""
    return Scores(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


def over_seeds(runs: Sequence[Scores]) -> Scores:
    """Return each query's mean over runs with other seeds; the queries are the same in all of them."""
    means = {name: np.mean([getattr(run, name) for run in runs], axis=0) for name in ("ap", *_SHARES)}
    return replace(runs[0], **means)


def spread_over_seeds(directions: Sequence[Sequence[Scores]]) -> float | None:
    """Return the standard deviation over seeds of these directions' mean macro mAP; None for one seed."""
    reached = [
        np.mean([macro(scores.ap, scores.structures) for scores in seed])
        for seed in zip(*directions, strict=True)
    ]
    return float(np.std(reached, ddof=1)) if len(reached) > 1 else None


def figures(scores: Scores, structures: Sequence[str], without_relevant: int = 0) -> dict[str, object]:
    """Return the figures of one direction.

    macro_map is the mean over structures, all others are means over queries. The interval is that of
    macro_map when structures are resampled: two patients are too few to resample.

    Parameters
    ----------
    scores : Scores
    structures : sequence of str
        Their names.
    without_relevant : int
        Queries that have nothing to find in the other volume; they are not among the scores.
    """
    classes = per_class(scores.ap, scores.structures)
    return {
        "macro_map": macro(scores.ap, scores.structures),
        "micro_map": micro(scores.ap),
        **{name: micro(getattr(scores, name)) for name in _SHARES},
        "ci95": _interval([classes]),
        "ci95_unit": "structures",
        "clusters": len(classes),
        "queries": len(scores.ap),
        "without_relevant": without_relevant,
        "structures": len(classes),
        "per_class": {structures[index]: value for index, value in classes.items()},
        "area_bins": [_bin(scores, index) for index in range(len(AREA_BINS_CM2))],
    }


def mean_figures(
    parts: Sequence[Scores], structures: Sequence[str], without_relevant: int = 0
) -> dict[str, object]:
    """Return the mean of the directions' figures, each direction counting once.

    The interval resamples structures for all directions together; ``structures`` counts those asked for in
    any, and a bin or a structure that one direction lacks is the mean of the others.
    """
    each = [figures(scores, structures) for scores in parts]
    per_structure = [per_class(scores.ap, scores.structures) for scores in parts]
    asked = sorted(set().union(*per_structure))
    bins = [[_bin(scores, index) for scores in parts] for index in range(len(AREA_BINS_CM2))]
    return {
        **{name: _mean([figure[name] for figure in each]) for name in ("macro_map", "micro_map", *_SHARES)},
        "ci95": _interval(per_structure),
        "ci95_unit": "structures",
        "clusters": len(asked),
        "queries": sum(len(scores.ap) for scores in parts),
        "without_relevant": without_relevant,
        "structures": len(asked),
        "per_class": {
            structures[index]: _mean([values.get(index) for values in per_structure]) for index in asked
        },
        "area_bins": [
            {
                "area_cm2": found[0]["area_cm2"],
                "queries": sum(len(scores.bins[scores.bins == index]) for scores in parts),
                **{name: _mean([value[name] for value in found]) for name in _BINNED},
            }
            for index, found in enumerate(bins)
        ],
    }


def _interval(parts: Sequence[Mapping[int, float]]) -> list[float]:
    """Return the bounds of the mean over parts of the mean over their structures."""
    asked = sorted(set().union(*parts))
    found = bootstrap_means(np.array([[part.get(index, np.nan) for part in parts] for index in asked]))
    return [found.low, found.high]


def _mean(values: Sequence[object]) -> float | None:
    there = [value for value in values if isinstance(value, float)]
    return sum(there) / len(there) if there else None


def _bin(scores: Scores, index: int) -> dict[str, object]:
    inside = scores.bins == index
    low, high = AREA_BINS_CM2[index]
    some = bool(inside.any())
    return {
        "area_cm2": f"{low:g}-{high:g}" if np.isfinite(high) else f"over {low:g}",
        "queries": int(inside.sum()),
        "macro_map": macro(scores.ap[inside], scores.structures[inside]) if some else None,
        "p_at_10": micro(scores.p_at_10[inside]) if some else None,
        "iou": micro(scores.iou[inside]) if some else None,
    }
