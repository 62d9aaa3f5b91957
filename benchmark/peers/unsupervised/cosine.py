"""The frozen features without hashing: the source of all codes."""

from __future__ import annotations

from typing import ClassVar

from benchmark.types import Describe, Features


class Cosine:
    """Pooled features as they are, floats, compared by cosine at every code length."""

    name: ClassVar[str] = "cosine"
    paper: ClassVar[str] = "none: the frozen features as floats"
    learns: ClassVar[bool] = False

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Learn nothing. See :class:`benchmark.types.Peer`."""
        return lambda features: features.pooled
