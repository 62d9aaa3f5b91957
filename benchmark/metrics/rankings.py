"""From descriptors and labels to rankings, some queries at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.distances import comparer
from benchmark.metrics.ties import TieGroups, tie_groups
from benchmark.types import Descriptors
from hmar.errors import ParameterError

Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]

_BLOCK_ITEMS = 1 << 20


def rankings(
    query: Descriptors,
    gallery: Descriptors,
    query_labels: Labels,
    gallery_labels: Labels,
    exclude: Mask | None,
) -> Iterator[TieGroups]:
    """Yield rankings a few queries at a time, so that memory does not grow with the number of queries."""
    if len(query) != len(query_labels) or len(gallery) != len(gallery_labels):
        raise ParameterError(
            f"{len(query)} queries have {len(query_labels)} labels, "
            f"{len(gallery)} gallery items {len(gallery_labels)}.",
            "Give one label for each.",
        )
    if exclude is not None and exclude.shape != (len(query), len(gallery)):
        raise ParameterError(
            f"The exclusions have shape {exclude.shape}, not {(len(query), len(gallery))}.",
            "Give one row a query and one column a gallery item.",
        )
    compare = comparer(gallery)
    step = max(1, _BLOCK_ITEMS // max(len(gallery), 1))
    for start in range(0, max(len(query), 1), step):
        block = slice(start, start + step)
        relevant = query_labels[block, None] == gallery_labels
        yield tie_groups(compare(query[block]), relevant, None if exclude is None else exclude[block])


def check_ranks(*ranks: int) -> None:
    """Raise ParameterError for a rank below 1."""
    for rank in ranks:
        if rank < 1:
            raise ParameterError(f"Rank {rank} was asked for.", "Ranks begin at 1.")
