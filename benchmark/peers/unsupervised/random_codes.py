"""Chance: codes that know nothing of the image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.peers.bits import check_bits
from benchmark.types import Describe, Descriptors, Features


class RandomCodes:
    """Draws a code for each image, a fresh one each time it is asked: the floor of every table."""

    name: ClassVar[str] = "random"
    paper: ClassVar[str] = "none: chance level"
    learns: ClassVar[bool] = True

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Seed the draw; nothing is learnt. See :class:`benchmark.types.Peer`."""
        width = check_bits(bits) // 8
        rng = np.random.default_rng(seed)

        def describe(features: Features) -> Descriptors:
            return rng.integers(0, 256, size=(len(features), width), dtype=np.uint8)

        return describe
