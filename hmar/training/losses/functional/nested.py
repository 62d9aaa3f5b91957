"""Nested codes: every loss is taken on the first 64 logits and on all 128."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

NESTED_BITS = (64, 128)
"""Lengths of code that losses are taken on, so that the short code is good by itself."""


def code_lengths(short_share: float) -> tuple[int, ...]:
    """Return the lengths of code that losses are taken on, the shortest first."""
    return NESTED_BITS if short_share > 0 else NESTED_BITS[-1:]


def nested(losses: Sequence[Tensor], short_share: float) -> Tensor:
    """Return the loss of a code from those of its lengths; the short one counts ``short_share``."""
    if len(losses) == 1:
        return losses[0]
    short, whole = losses
    return short_share * short + (1 - short_share) * whole
