"""What our model is trained by: class centres, classmates of other groups, and windows that match."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_FAR = -1e4


def classmates(labels: Tensor, groups: Tensor) -> Tensor:
    """Return (B, B) of bool: same class, other group. A scan's own neighbours teach nothing."""
    return (labels[:, None] == labels) & (groups[:, None] != groups)


def supervised_contrastive(logits: Tensor, labels: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., NeurIPS 2020) with positives of other groups.

    Images of the same class and group are neither positives nor negatives; images without a positive in the
    batch are left out.

    Parameters
    ----------
    logits : Tensor, shape (B, bits)
    labels, groups : Tensor of int64, shape (B,)
    temperature : float

    Returns
    -------
    Tensor, scalar
        0 where no image has a positive.
    """
    positive = classmates(labels, groups)
    soft = F.normalize(torch.tanh(logits), dim=1)
    similarity = (soft @ soft.T / temperature).masked_fill(~(positive | (labels[:, None] != labels)), _FAR)
    return _pulled_together(similarity, positive)


def region_contrastive(
    logits: Tensor, image: Tensor, labels: Tensor, groups: Tensor, temperature: float
) -> Tensor:
    """Return the contrastive loss between windows of different images.

    The positive of a window is its mutual nearest among the windows of its class in other groups; windows of
    other classes are its negatives, and the other windows of its class are left alone.

    Parameters
    ----------
    logits : Tensor, shape (M, bits)
    image : Tensor of int64, shape (M,)
        Which row of labels and groups each window belongs to.
    labels, groups : Tensor of int64, shape (B,)
    temperature : float

    Returns
    -------
    Tensor, scalar
        0 where no two windows choose each other.
    """
    soft = F.normalize(torch.tanh(logits), dim=1)
    similarity = soft @ soft.T / temperature
    positive = mutual_nearest(similarity.detach(), classmates(labels, groups)[image][:, image])
    other_class = (labels[:, None] != labels)[image][:, image]
    return _pulled_together(similarity.masked_fill(~(positive | other_class), _FAR), positive)


def mutual_nearest(similarity: Tensor, allowed: Tensor) -> Tensor:
    """Return (M, M) of bool: pairs of which each is the other's nearest among the allowed.

    Parameters
    ----------
    similarity : Tensor, shape (M, M)
    allowed : Tensor of bool, shape (M, M)
        Symmetric.
    """
    nearest = similarity.masked_fill(~allowed, float("-inf")).argmax(dim=1)
    rows = torch.arange(len(nearest))
    chosen = torch.zeros_like(allowed)
    chosen[rows, nearest] = allowed[rows, nearest]
    return chosen & chosen.T


def _pulled_together(similarity: Tensor, positive: Tensor) -> Tensor:
    """Return the mean of -log p over each row's positives (N, N), then over the rows that have any."""
    log_share = similarity.log_softmax(dim=1)
    count = positive.sum(dim=1)
    per_row = -(positive * log_share).sum(dim=1) / count.clamp_min(1)
    return per_row.sum() / (count > 0).sum().clamp_min(1)


def balance(logits: Tensor) -> Tensor:
    """Return how far each soft bit is from being set in half of the batch, mean square; 0 is best."""
    return torch.tanh(logits).mean(dim=0).square().mean()


def quantisation(logits: Tensor) -> Tensor:
    """Return how far logits are from -1 and 1, mean square; 0 is best (Zhu et al., AAAI 2016)."""
    return (logits.abs() - 1).square().mean()
