"""Precision against recall, by rank and by Hamming radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.averages import macro
from benchmark.metrics.distances import DistanceArray
from benchmark.metrics.rankings import Labels, Mask, check_ranks, rankings
from benchmark.metrics.ties import expected_hits
from benchmark.types import Descriptors

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PrCurve:
    """Macro means of the expected precision and recall at K ranks, each array of shape (K,)."""

    ranks: NDArray[np.int64]
    precision: FloatArray
    recall: FloatArray


def pr_curve(
    query: Descriptors,
    gallery: Descriptors,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    exclude: Mask | None = None,
    points: int = 50,
) -> PrCurve:
    """Return precision against recall, by rank.

    Precision at rank k has the denominator k, recall R; both are expectations under ties, averaged over the
    queries of each class (R = 0 left out), then over classes. Ranks grow geometrically from 1 to the size
    of the gallery. The curve is not interpolated. Parameters as in
    :func:`benchmark.metrics.figures.rank_metrics`; ``points`` is the largest number of ranks.
    """
    check_ranks(points)
    ranks = np.unique(np.geomspace(1, max(len(gallery), 1), points).round().astype(np.int64))
    precision, recall = [], []
    for groups in rankings(query, gallery, query_labels, gallery_labels, exclude):
        total = groups.total_relevant[:, None]
        hits = np.where(total > 0, expected_hits(groups, ranks), np.nan)
        precision.append(hits / ranks)
        recall.append(hits / np.maximum(total, 1))
    means = [
        np.array([macro(column, query_labels) for column in np.concatenate(blocks).T])
        for blocks in (precision, recall)
    ]
    return PrCurve(ranks, *means)


def radius_metrics(
    distance: DistanceArray, relevant: Mask, radius: float, exclude: Mask | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return precision and recall among the items within a distance of the query.

    Parameters
    ----------
    distance : ndarray, shape (Q, G)
    relevant : ndarray of bool, shape (Q, G)
    radius : float
        Items at this very distance are within.
    exclude : ndarray of bool, shape (Q, G), optional
        Items that are not in this query's gallery.

    Returns
    -------
    precision, recall : ndarray of float64, shape (Q,)
        Denominators: the items within the radius, and R. An empty ball counts 0 in both, it is not left
        out (as in Liu et al., Hashing with Graphs, ICML 2011). NaN where R = 0. Ties do not matter: a ball
        has no order.
    """
    if exclude is not None:
        relevant = relevant & ~exclude
    inside = distance <= radius if exclude is None else (distance <= radius) & ~exclude
    total, within, found = _counts(relevant), _counts(inside), _counts(relevant & inside)
    precision = np.where(total > 0, found / np.maximum(within, 1), np.nan)
    return precision, np.where(total > 0, found / np.maximum(total, 1), np.nan)


def _counts(mask: Mask) -> NDArray[np.int64]:
    return np.array([np.count_nonzero(row) for row in mask], np.int64)
