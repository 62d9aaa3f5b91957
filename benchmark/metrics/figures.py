"""How well descriptors retrieve: the figures of every table, each with its denominator and its tie rule.

A gallery item is relevant where it has the query's label; R is how many there are. A query with R = 0 has
nothing to find: it is NaN in every figure, left out of every mean, and counted. Distances tie often on codes;
every figure is the expectation over all orders within equal distances (:mod:`benchmark.metrics.ties`).

Neither scikit-learn nor ranx is used because both score a query with R = 0 as 0, neither takes that
expectation, and ranx divides AP@cut by R, which no ranking reaches where R is above the cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.averages import macro, micro, per_class
from benchmark.metrics.bootstrap import Interval, bootstrap, bootstrap_means, paired_bootstrap
from benchmark.metrics.code_health import CodeHealth, code_health
from benchmark.metrics.curves import PrCurve, pr_curve, radius_metrics
from benchmark.metrics.distances import distances
from benchmark.metrics.rankings import Labels, Mask, check_ranks, rankings
from benchmark.metrics.ties import average_precision, expected_ap, expected_hits, hits_found_precision
from benchmark.types import Descriptors

__all__ = [
    "CodeHealth",
    "Interval",
    "PrCurve",
    "RankMetrics",
    "bootstrap",
    "bootstrap_means",
    "code_health",
    "distances",
    "expected_ap",
    "hits_found_ap",
    "macro",
    "micro",
    "paired_bootstrap",
    "per_class",
    "pr_curve",
    "radius_metrics",
    "rank_metrics",
]

FloatArray = NDArray[np.float64]

_RECALL_RANK = 10


@dataclass(frozen=True, slots=True, eq=False)
class RankMetrics:
    """Figures of Q queries; NaN where R = 0. Ties: expectation.

    Parameters
    ----------
    ap : ndarray of float64, shape (Q,)
        Average precision over all ranks; denominator R.
    ap_at_cut : ndarray of float64, shape (Q,)
        Average precision up to the cut; denominator min(cut, R). Equal to ``ap`` where no cut was asked for.
    precision : mapping of int to ndarray of float64, shape (Q,)
        P@k, the relevant items at ranks up to k; denominator k, even where the gallery is smaller.
    recall10 : ndarray of float64, shape (Q,)
        The relevant items at ranks up to 10; denominator R.
    relevant : ndarray of int64, shape (Q,)
        R of each query.
    without_relevant : int
        Queries with R = 0.
    """

    ap: FloatArray
    ap_at_cut: FloatArray
    precision: Mapping[int, FloatArray]
    recall10: FloatArray
    relevant: NDArray[np.int64]
    without_relevant: int


def rank_metrics(
    query: Descriptors,
    gallery: Descriptors,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    exclude: Mask | None = None,
    ks: Sequence[int] = (1, 5, 10),
    cut: int | None = None,
) -> RankMetrics:
    """Rank the gallery for every query, and measure the rankings.

    Parameters
    ----------
    query, gallery : ndarray, shapes (Q, W) and (G, W)
        Packed codes, ranked by Hamming distance, or floats, ranked by cosine.
    query_labels, gallery_labels : ndarray of int, shapes (Q,) and (G,)
    exclude : ndarray of bool, shape (Q, G), optional
        Items that are not in this query's gallery, say the query itself.
    ks : sequence of int
        Ranks at which precision is taken.
    cut : int, optional
        Last rank of ``ap_at_cut``.

    Returns
    -------
    RankMetrics
        Denominators, ties and queries with R = 0 as stated there. Sources: expected AP under ties, McSherry &
        Najork, Computing information retrieval performance measures efficiently in the presence of tied
        scores, ECIR 2008.

    Raises
    ------
    ParameterError
        If shapes do not fit, or a rank is below 1.
    """
    check_ranks(*ks, *(() if cut is None else (cut,)))
    ranks = np.array([*ks, _RECALL_RANK], np.int64)
    whole, short, hits, totals = [], [], [], []
    for groups in rankings(query, gallery, query_labels, gallery_labels, exclude):
        whole.append(average_precision(groups))
        short.append(whole[-1] if cut is None else average_precision(groups, cut))
        hits.append(expected_hits(groups, ranks))
        totals.append(groups.total_relevant)
    relevant = np.concatenate(totals)
    expected = np.where(relevant[:, None] > 0, np.concatenate(hits), np.nan)
    return RankMetrics(
        ap=np.concatenate(whole),
        ap_at_cut=np.concatenate(short),
        precision={k: expected[:, column] / k for column, k in enumerate(ks)},
        recall10=expected[:, -1] / np.maximum(relevant, 1),
        relevant=relevant,
        without_relevant=int(np.count_nonzero(relevant == 0)),
    )


def hits_found_ap(
    query: Descriptors,
    gallery: Descriptors,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    exclude: Mask | None = None,
    cut: int = 100,
) -> FloatArray:
    """Return AP@cut of each query by the protocol "acir-compat", for comparison with published figures only.

    Denominator: the relevant items found at ranks up to the cut (0 where none was found), not min(cut, R):
    on the same codes that adds about 0.12. Ties: expectation. NaN where R = 0. Source: ACIR, arXiv
    2503.09370, and the evaluation code that deep-hashing papers share. Parameters as in :func:`rank_metrics`.
    """
    check_ranks(cut)
    ranked = rankings(query, gallery, query_labels, gallery_labels, exclude)
    return np.concatenate([hits_found_precision(groups, cut) for groups in ranked])
