"""What keeps the bits of our model's codes good at image level."""

from __future__ import annotations

import torch
from torch import Tensor


def balance(logits: Tensor) -> Tensor:
    """Return how far each soft bit is from being set in half of the batch, mean square; 0 is best."""
    return torch.tanh(logits).mean(dim=0).square().mean()


def quantisation(logits: Tensor) -> Tensor:
    """Return how far logits are from -1 and 1, mean square; 0 is best (Zhu et al., AAAI 2016)."""
    return (logits.abs() - 1).square().mean()
