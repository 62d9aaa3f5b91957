"""Pooling the windows of a batch, each view with windows of its own."""

from __future__ import annotations

import torch
from torch import Tensor

from hmar.model.config import PARTS


def pool_windows(feature_map: Tensor, weights: Tensor) -> Tensor:
    """Pool n windows of each of M maps.

    Parameters
    ----------
    feature_map : Tensor, shape (M, C, h, w)
    weights : Tensor, shape (2, M, n * 3, h)
        Row and column weights, as :class:`hmar.training.data.pairs.PairBatch` has them; h equals w.

    Returns
    -------
    Tensor, shape (M * n, C * 9)
    """
    rows, columns = weights.reshape(2, len(feature_map), -1, PARTS, weights.shape[-1])  # (M, n, 3, cells)
    pooled = torch.einsum("mnah,mchw,mnbw->mncab", rows, feature_map, columns)
    return pooled.flatten(0, 1).flatten(1)
