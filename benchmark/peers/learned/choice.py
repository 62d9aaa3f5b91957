"""Model selection: how good a model is during training, measured on val only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.figures import macro, rank_metrics
from benchmark.types import Describe, Features

_QUERIES = 1000
_GALLERY = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Images of val that query images of train."""

    queries: Features
    gallery: Features

    @classmethod
    def of(cls, train: Features, val: Features, rng: np.random.Generator) -> Choice:
        """Draw at most 1,000 random images of val, of classes that train has, and 2,000 of train."""
        known = np.flatnonzero(np.isin(val.labels, train.labels))
        return cls(
            val.take(_some(known, _QUERIES, rng)), train.take(_some(np.arange(len(train)), _GALLERY, rng))
        )

    def quality(self, describe: Describe) -> float:
        """Return the tie-aware macro mAP over all ranks; nan where there is nothing to query with."""
        if not len(self.queries):
            return math.nan
        queries, gallery = self.queries, self.gallery
        ranked = rank_metrics(describe(queries), describe(gallery), queries.labels, gallery.labels)
        return macro(ranked.ap, queries.labels)


def _some(rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(rows)[:count])
