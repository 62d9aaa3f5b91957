"""The entropy of a router's gates: high where both experts stay in use."""

from __future__ import annotations

from torch import Tensor

_LEAST = 1e-6
"""Gate weights below this count as this in the logarithm, which is infinite at 0."""


def gate_entropy(gate: Tensor) -> Tensor:
    """Return the mean entropy, in nats, of gates (B, experts): 0 where each image is left to one expert."""
    return -(gate * gate.clamp_min(_LEAST).log()).sum(dim=1).mean()
