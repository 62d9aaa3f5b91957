"""How good the bits of a batch of codes are: balanced, uncorrelated, and decided."""

from __future__ import annotations

import torch
from torch import Tensor

_UNDECIDED_WEIGHT = 0.1
"""Weight of undecided bits beside balance and redundancy. It is small because tanh saturates: a bit that is
pushed to -1 or 1 early has hardly any gradient left to change sides by."""

_EPSILON = 1e-6
"""Keeps the correlation of a bit that is the same in the whole batch finite; as is usual, far below the norms
that occur."""


def bit_quality(logits: Tensor) -> Tensor:
    """Return how far soft bits are from balanced, uncorrelated and decided; 0 is best.

    Parameters
    ----------
    logits : Tensor, shape (N, bits)

    Returns
    -------
    Tensor, scalar
        Mean square of the bits' means, plus the mean square of their correlations, plus a tenth of the mean
        distance of soft bits from -1 or 1.
    """
    soft = torch.tanh(logits)
    balance = soft.mean(dim=0).square().mean()
    centred = soft - soft.mean(dim=0)
    correlation = (centred.T @ centred) / (
        centred.norm(dim=0)[:, None] * centred.norm(dim=0)[None, :] + _EPSILON
    )
    bits = logits.shape[1]
    redundancy = (correlation.square().sum() - correlation.diagonal().square().sum()) / (bits * (bits - 1))
    undecided = (1 - soft.abs()).mean()
    quality: Tensor = balance + redundancy + _UNDECIDED_WEIGHT * undecided
    return quality
