"""Signs of principal components."""

from __future__ import annotations

from typing import ClassVar

from benchmark.peers.bits import check_bits, pack_bits
from benchmark.peers.scaling import UnitCentring, principal_axes
from benchmark.types import Describe, Features


class Pca:
    """Each bit is the sign of a principal component of rows at unit length.

    Bits beyond the rank of the training features are always 0.
    """

    name: ClassVar[str] = "pca"
    paper: ClassVar[str] = "PCA-sign, as in Gong & Lazebnik, CVPR 2011"
    learns: ClassVar[bool] = False

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Find the principal axes of train. See :class:`benchmark.types.Peer`."""
        scale = UnitCentring.of(train.pooled)
        axes = principal_axes(scale(train.pooled), check_bits(bits))
        return lambda features: pack_bits(scale(features.pooled) @ axes)
