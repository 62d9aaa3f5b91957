"""Attention over windows: which of them an image's label is about."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WindowAttention(nn.Module):
    """Gated attention over the windows of an image (Ilse et al., ICML 2018).

    A lesion is local, so most windows of an image do not show what its label is about.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.content, self.gate = nn.Linear(inputs, hidden), nn.Linear(inputs, hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, W, inputs) -> weights (B, W)."""
        normed = self.norm(windows)
        hidden = torch.tanh(self.content(normed)) * torch.sigmoid(self.gate(normed))
        weights: Tensor = self.score(hidden).squeeze(-1).softmax(dim=1)
        return weights
