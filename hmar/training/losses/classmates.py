"""What images of one label teach one another: the whole of them, and the windows that match."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.training.losses.terms import class_contrast, pulled_together


def classmates(labels: Tensor, groups: Tensor) -> Tensor:
    """Return (B, B) of bool: same label, other group. A scan's own neighbours teach nothing."""
    return (labels[:, None] == labels) & (groups[:, None] != groups)


def supervised_contrastive(logits: Tensor, labels: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., NeurIPS 2020) with positives of other groups.

    Images of the same label and group are neither positives nor negatives; images without a positive in the
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
    return class_contrast(logits, classmates(labels, groups), labels[:, None] != labels, temperature)


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
    return pulled_together(similarity, positive, other_class)


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
