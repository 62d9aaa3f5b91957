"""Supervised contrast: what belongs together is more alike than what does not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_MASKED = -1e4
"""Stands for minus infinity in a softmax: its exponential is 0, and a row that is masked throughout gives
finite numbers, which no mean counts, where infinities would give NaN."""


def class_contrast(logits: Tensor, positive: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss (Khosla et al., NeurIPS 2020) on soft bits.

    Parameters
    ----------
    logits : Tensor, shape (N, bits)
    positive, negative : Tensor of bool, shape (N, N)
        Which pairs belong together, and which may be pushed apart. A pair that is neither, as a row with
        itself, is left out.
    temperature : float

    Returns
    -------
    Tensor, scalar
        Mean over the rows that have a positive; 0 where none has.
    """
    soft = F.normalize(torch.tanh(logits), dim=1)
    return contrast_of(soft @ soft.T / temperature, positive, negative)


def contrast_of(similarity: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean of -log p over each row's positives, then over the rows that have any.

    Parameters
    ----------
    similarity : Tensor, shape (N, N)
        Divided by the temperature.
    positive, negative : Tensor of bool, shape (N, N)
        p is a softmax over the row's positives and negatives.
    """
    log_share = similarity.masked_fill(~(positive | negative), _MASKED).log_softmax(dim=1)
    count = positive.sum(dim=1)
    per_row = -(positive * log_share).sum(dim=1) / count.clamp_min(1)
    return per_row.sum() / (count > 0).sum().clamp_min(1)
