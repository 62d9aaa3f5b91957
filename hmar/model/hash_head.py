"""The hash head: a feature to the logits of a code."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from hmar.model.config import KAN_INPUT_SCALE, LAYER_NORM_EPS

KanFactory = Callable[[int, int, int, int], nn.Module]
"""(inputs, outputs, grid intervals, spline order) -> a KAN layer: folded to serve, pykan's to train."""


class HashHead(nn.Module):
    """Linear bottleneck, layer norm, KAN layer.

    Splines are 0 outside their knots, so their input is normalised first.

    Parameters
    ----------
    inputs : int
        Width of the feature.
    hidden : int
        Width of the bottleneck.
    bits : int
        Length of the code.
    intervals, order : int
        Spline grid.
    kan : KanFactory
        Builds the KAN layer.
    """

    def __init__(
        self, inputs: int, hidden: int, bits: int, intervals: int, order: int, kan: KanFactory
    ) -> None:
        super().__init__()
        self.reduce = nn.Linear(inputs, hidden)
        self.norm = nn.LayerNorm(hidden, eps=LAYER_NORM_EPS, elementwise_affine=False)
        self.kan = kan(hidden, bits, intervals, order)

    def forward(self, feature: Tensor) -> Tensor:
        """(N, inputs) -> logits (N, bits)."""
        logits: Tensor = self.kan(self.norm(self.reduce(feature)) * KAN_INPUT_SCALE)
        return logits
