"""Random hyperplanes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.peers.bits import check_bits, pack_bits
from benchmark.peers.scaling import UnitCentring
from benchmark.types import Describe, Features


class Lsh:
    """Each bit is the side of a random hyperplane through the mean of train, rows at unit length."""

    name: ClassVar[str] = "lsh"
    paper: ClassVar[str] = "Charikar, STOC 2002"
    learns: ClassVar[bool] = True

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Take the mean of train, and draw the hyperplanes. See :class:`benchmark.types.Peer`."""
        scale = UnitCentring.of(train.pooled)
        rng = np.random.default_rng(seed)
        normals = rng.standard_normal((train.pooled.shape[1], check_bits(bits)), dtype=np.float32)
        return lambda features: pack_bits(scale(features.pooled) @ normals)
