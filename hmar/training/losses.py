"""Losses on logits: what belongs together, and what makes bits good."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

NESTED_BITS = (64, 128)
"""Every loss is taken on the first 64 logits and on all 128: the short code is good by itself."""


def contrastive(first: Tensor, second: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Return the symmetric InfoNCE loss of each pair (van den Oord et al., 2018) on soft bits.

    Parameters
    ----------
    first, second : Tensor, shape (N, bits)
        Logits of two views; row i of one belongs with row i of the other.
    negative : Tensor of bool, shape (N, N)
        Which pairs may be pushed apart; pairs that overlap in the body may not.
    temperature : float

    Returns
    -------
    Tensor, shape (N,)
    """
    a, b = F.normalize(torch.tanh(first), dim=1), F.normalize(torch.tanh(second), dim=1)
    similarity = a @ b.T / temperature
    similarity = similarity.masked_fill(~(negative | torch.eye(len(a), dtype=torch.bool)), float("-inf"))
    target = torch.arange(len(a))
    forward = F.cross_entropy(similarity, target, reduction="none")
    backward = F.cross_entropy(similarity.T, target, reduction="none")
    return (forward + backward) / 2


def bit_quality(logits: Tensor) -> Tensor:
    """Return how far soft bits are from balanced, uncorrelated and decided; 0 is best."""
    soft = torch.tanh(logits)
    balance = soft.mean(dim=0).square().mean()
    centred = soft - soft.mean(dim=0)
    correlation = (centred.T @ centred) / (centred.norm(dim=0)[:, None] * centred.norm(dim=0)[None, :] + 1e-6)
    bits = logits.shape[1]
    redundancy = (correlation.square().sum() - correlation.diagonal().square().sum()) / (bits * (bits - 1))
    undecided = (1 - soft.abs()).mean()
    quality: Tensor = balance + redundancy + 0.1 * undecided
    return quality
