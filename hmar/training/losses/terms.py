"""Losses on logits: what belongs together, and what makes bits good."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

NESTED_BITS = (64, 128)
"""Every loss is taken on the first 64 logits and on all 128: the short code is good by itself."""

_FAR = -1e4


def code_lengths(short_share: float) -> tuple[int, ...]:
    """Return the lengths of code that losses are taken on, the shortest first."""
    return NESTED_BITS if short_share > 0 else NESTED_BITS[-1:]


def nested(losses: Sequence[Tensor], short_share: float) -> Tensor:
    """Return the loss of a code from those of its lengths; the short one counts ``short_share``."""
    if len(losses) == 1:
        return losses[0]
    short, whole = losses
    return short_share * short + (1 - short_share) * whole


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
    similarity = similarity.masked_fill(
        ~(negative | torch.eye(len(a), dtype=torch.bool, device=a.device)), float("-inf")
    )
    target = torch.arange(len(a), device=a.device)
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


def gate_entropy(gate: Tensor) -> Tensor:
    """Return the mean entropy of a router's gates (B, experts): 0 where each leaves all to one expert."""
    return -(gate * gate.clamp_min(1e-6).log()).sum(dim=1).mean()


def centre_loss(logits: Tensor, target: Tensor, directions: Tensor, scale: float, margin: float) -> Tensor:
    """Return OrthoHash's loss of each image (Hoe et al., NeurIPS 2021), for labels that may be mixed.

    Parameters
    ----------
    logits : Tensor, shape (B, bits)
    target : Tensor, shape (B, classes)
        Share of each class in each image; rows sum to 1.
    directions : Tensor, shape (classes, bits)
        The classes' codes as -1 or 1, scaled to length 1.
    scale, margin : float

    Returns
    -------
    Tensor, shape (B,)
    """
    cosine = F.normalize(logits, dim=1) @ directions.T
    return -(target * F.log_softmax(scale * (cosine - margin * target), dim=1)).sum(dim=1)


def class_contrast(logits: Tensor, positive: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., NeurIPS 2020) on soft bits.

    Parameters
    ----------
    logits : Tensor, shape (N, bits)
    positive, negative : Tensor of bool, shape (N, N)
        What belongs together, and what may be pushed apart; a row takes no part in neither.
    temperature : float

    Returns
    -------
    Tensor, scalar
        Mean over the rows that have a positive; 0 where none has.
    """
    soft = F.normalize(torch.tanh(logits), dim=1)
    return pulled_together(soft @ soft.T / temperature, positive, negative)


def pulled_together(similarity: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean of -log p over each row's positives (N, N), then over the rows that have any."""
    log_share = similarity.masked_fill(~(positive | negative), _FAR).log_softmax(dim=1)
    count = positive.sum(dim=1)
    per_row = -(positive * log_share).sum(dim=1) / count.clamp_min(1)
    return per_row.sum() / (count > 0).sum().clamp_min(1)
