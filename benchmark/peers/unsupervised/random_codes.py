"""Chance level: random codes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.peers.bits import check_bits
from benchmark.types import Describe, Descriptors, Features


class RandomCodes:
    """A random code for each image, a new one on every call: the lower bound of every table."""

    name: ClassVar[str] = "random"
    paper: ClassVar[str] = "none: chance level"
    learns: ClassVar[bool] = True

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Seed the generator; nothing is trained. See :class:`benchmark.types.Peer`."""
        width = check_bits(bits) // 8
        rng = np.random.default_rng(seed)

        def describe(features: Features) -> Descriptors:
            return rng.integers(0, 256, size=(len(features), width), dtype=np.uint8)

        return describe
