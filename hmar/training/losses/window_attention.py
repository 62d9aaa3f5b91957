"""Which windows of an image its label speaks of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WindowAttention(nn.Module):
    """Gated attention over the windows of an image (Ilse et al., ICML 2018).

    Image labels reach Expert1 through it alone: a lesion is local, so that most windows of an image do not
    show what its label says.
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
