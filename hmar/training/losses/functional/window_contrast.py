"""Contrast between windows of different images of one label: those that are each other's nearest."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from hmar.training.losses.functional.class_contrast import contrast_of
from hmar.training.losses.functional.label_contrast import same_label_pairs


def region_contrastive(
    logits: Tensor, image: Tensor, labels: Tensor, groups: Tensor, temperature: float
) -> Tensor:
    """Return the contrastive loss between windows of different images.

    The positive of a window is its mutual nearest among the windows of its class in other groups; windows of
    other classes are its negatives, and the other windows of its class are left out.

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
    positive = mutual_nearest(similarity.detach(), same_label_pairs(labels, groups)[image][:, image])
    other_class = (labels[:, None] != labels)[image][:, image]
    return contrast_of(similarity, positive, other_class)


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
