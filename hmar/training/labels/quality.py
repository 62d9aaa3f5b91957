"""How well codes find images of one label: mean average precision, as it is expected under ties."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_average_precision(
    queries: Tensor, gallery: Tensor, query_labels: Tensor, gallery_labels: Tensor
) -> float:
    """Return the mean over labels of the mean average precision of their queries, over all ranks.

    Parameters
    ----------
    queries, gallery : Tensor, shapes (Q, bits) and (G, bits)
        Logits; a bit is 1 above 0.
    query_labels, gallery_labels : Tensor of int64, shapes (Q,) and (G,)
        Queries whose label the gallery lacks do not count.

    Returns
    -------
    float
        0 to 1; NaN where no query counts. The order of codes at one distance is random: the expectation over
        all orders (McSherry & Najork, ECIR 2008).
    """
    bits = queries.shape[1]
    signs = (torch.where(codes > 0, 1.0, -1.0) for codes in (queries, gallery))
    first, second = signs
    apart = ((bits - first @ second.T) / 2).round().long()  # (Q, G)
    own = query_labels[:, None] == gallery_labels
    counts = torch.zeros(2, len(queries), bits + 1, dtype=torch.float64, device=queries.device)
    counts[0].scatter_add_(1, apart, torch.ones_like(apart, dtype=torch.float64))
    counts[1].scatter_add_(1, apart, own.double())
    precision = _expected(counts[0], counts[1])
    counted = own.any(dim=1)
    asked = torch.unique(query_labels[counted])
    if not len(asked):
        return float("nan")
    return float(torch.stack([precision[counted & (query_labels == label)].mean() for label in asked]).mean())


def _expected(items: Tensor, relevant: Tensor) -> Tensor:
    """Return the expected average precision (Q,) of rankings given as counts (Q, distances).

    With n items and p relevant ones at a distance, N and P nearer: rank N + j holds a relevant one with
    probability p / n, and then P + 1 + (j - 1) (p - 1) / (n - 1) are expected up to it.
    """
    nearer, found = items.cumsum(1) - items, relevant.cumsum(1) - relevant
    ranks = int(items.sum(dim=1).max())
    harmonic = torch.cat([items.new_zeros(1), (1 / torch.arange(1, ranks + 1).double()).cumsum(0)])
    harmonic = harmonic.to(items.device)
    slope = (relevant - 1) / (items - 1).clamp(min=1)
    level = found + 1 - slope * (nearer + 1)
    summed = level * (harmonic[(nearer + items).long()] - harmonic[nearer.long()]) + slope * items
    total = (relevant / items.clamp(min=1) * summed).sum(dim=1)
    return total / relevant.sum(dim=1).clamp(min=1)
