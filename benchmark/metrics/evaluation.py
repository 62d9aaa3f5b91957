"""All figures of codes or features and their labels in one call: ``benchmark.evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.metrics.averages import FloatArray, per_class
from benchmark.metrics.bootstrap import Interval, bootstrap
from benchmark.metrics.figures import rank_metrics
from benchmark.types import Descriptors
from hmar.errors import ParameterError
from hmar.values.plain import Json, number

Names = Sequence[object] | NDArray[np.generic]
"""One label or group for each item: texts or integers."""
_Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figures:
    """How well descriptors retrieve, each figure with its 95 % interval.

    A gallery item is relevant where it has the query's label; R is how many there are. Queries with R = 0 are
    left out of every mean. Every figure is the expectation over all orders within equal distances.

    Parameters
    ----------
    macro_map : Interval
        Mean over classes of the mean average precision over each class's queries; denominator R.
    micro_map : Interval
        Mean over queries of the same.
    macro_map_at_k : Interval
        As ``macro_map``, up to rank k; denominator min(k, R).
    precision_at_1, precision_at_k : Interval
        Mean over queries of the share of relevant items up to that rank; denominator the rank.
    recall_at_k : Interval
        Mean over queries of the relevant items up to rank k; denominator R.
    per_class : mapping of str to float
        Mean average precision of each class's queries.
    k : int
    queries, gallery : int
        How many there are.
    without_relevant : int
        Queries with R = 0.
    """

    macro_map: Interval
    micro_map: Interval
    macro_map_at_k: Interval
    precision_at_1: Interval
    precision_at_k: Interval
    recall_at_k: Interval
    per_class: Mapping[str, float]
    k: int
    queries: int
    gallery: int
    without_relevant: int

    def to_dict(self) -> Json:
        """Return the figures, null for what is not defined."""
        intervals = {name: getattr(self, name) for name in _INTERVALS}
        return {
            **{
                name: {"mean": number(one.mean), "low": number(one.low), "high": number(one.high)}
                for name, one in intervals.items()
            },
            "per_class": {name: number(mean) for name, mean in self.per_class.items()},
            "k": self.k,
            "queries": self.queries,
            "gallery": self.gallery,
            "without_relevant": self.without_relevant,
        }


_INTERVALS = (
    "macro_map",
    "micro_map",
    "macro_map_at_k",
    "precision_at_1",
    "precision_at_k",
    "recall_at_k",
)


def evaluate(
    query: ArrayLike,
    query_labels: Names,
    gallery: ArrayLike | None = None,
    gallery_labels: Names | None = None,
    *,
    groups: Names | None = None,
    gallery_groups: Names | None = None,
    k: int = 10,
    resamples: int = 1000,
    seed: int = 0,
) -> Figures:
    """Measure how well codes or features find what has their label.

    Parameters
    ----------
    query : array, shape (Q, W)
        Packed codes (uint8), compared by Hamming distance; or floats, compared by cosine.
    query_labels : sequence, shape (Q,)
        Class of each query.
    gallery, gallery_labels : array and sequence, shapes (G, W) and (G,), optional
        What is searched. By default the queries themselves, each without itself and without all of its group.
    groups : sequence, shape (Q,), optional
        Patient of each query, so that intervals say how far figures would move had other patients been
        queried. Without it each query counts as a patient of its own: intervals are too narrow where some
        patient has several.
    gallery_groups : sequence, shape (G,), optional
        Patient of each gallery item; items of the query's own are not searched.
    k : int
        Last rank of the figures "at k".
    resamples, seed : int
        Of the bootstrap; see :func:`benchmark.metrics.bootstrap.bootstrap`.

    Raises
    ------
    ParameterError
        If shapes or kinds do not fit, something is missing, or ``k`` is below 1.

    Examples
    --------
    >>> codes = np.array([[0b0000_1111], [0b0000_0111], [0b1111_0000], [0b1110_0000]], np.uint8)
    >>> evaluate(codes, ["lung", "lung", "liver", "liver"]).macro_map.mean
    1.0
    """
    if (gallery is None) != (gallery_labels is None):
        raise ParameterError("The gallery or its labels are missing.", "Give both, or neither.")
    if gallery_groups is not None and (gallery is None or groups is None):
        raise ParameterError("The gallery has groups.", "Give the gallery and the queries' groups as well.")
    queries = _descriptors(query)
    searched = queries if gallery is None else _descriptors(gallery)
    classes, labels, searched_labels = _numbered(
        query_labels, query_labels if gallery_labels is None else gallery_labels
    )
    grouped = range(len(queries)) if groups is None else groups
    own = grouped if gallery is None else gallery_groups
    _, patients, others = _numbered(grouped, () if own is None else own)
    exclude = None if own is None else patients[:, None] == others
    found = rank_metrics(queries, searched, labels, searched_labels, exclude=exclude, ks=(1, k), cut=k)
    recall = found.precision[k] * k / np.maximum(found.relevant, 1)

    def interval(values: FloatArray, of: _Numbers) -> Interval:
        return bootstrap(values, of, patients, resamples, seed)

    one = np.zeros_like(labels)
    return Figures(
        macro_map=interval(found.ap, labels),
        micro_map=interval(found.ap, one),
        macro_map_at_k=interval(found.ap_at_cut, labels),
        precision_at_1=interval(found.precision[1], one),
        precision_at_k=interval(found.precision[k], one),
        recall_at_k=interval(recall, one),
        per_class={classes[label]: mean for label, mean in per_class(found.ap, labels).items()},
        k=k,
        queries=len(queries),
        gallery=len(searched),
        without_relevant=found.without_relevant,
    )


def _descriptors(given: ArrayLike) -> Descriptors:
    """Return packed codes as they are, and all other numbers as float32."""
    array = np.asarray(given)
    if array.ndim != 2 or not (array.dtype == np.uint8 or array.dtype.kind == "f"):
        raise ParameterError(
            f"The descriptors are {array.dtype} of shape {array.shape}.",
            "Give packed codes (uint8) or floats, one row for each image.",
        )
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _numbered(first: Names, second: Names) -> tuple[list[str], _Numbers, _Numbers]:
    """Return the names that occur, sorted, and the number of each item's name in both sequences."""
    every = np.array([str(name) for name in (*first, *second)])
    names, numbers = np.unique(every, return_inverse=True)
    return names.tolist(), numbers[: len(first)], numbers[len(first) :]
