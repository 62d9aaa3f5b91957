"""The exponential moving average (EMA) of weights, which validation looks at and which is kept."""

from __future__ import annotations

import torch
from torch import nn

_WARM_UP = 9
"""In its first steps the average forgets faster, or the start would weigh in it for ``1 / (1 - decay)``
steps. The rule is that of TensorFlow's ExponentialMovingAverage, ``(1 + n) / (10 + n)`` with n from 0."""


def ema_decay(decay: float, step: int) -> float:
    """Return the decay at a step, counted from 1: smaller in the first steps than ``decay``."""
    return min(decay, step / (step + _WARM_UP))


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move averaged weights towards the present ones; buffers are copied, not averaged."""
    for mean, now in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(now, 1 - decay)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)
