"""Iterative quantisation, by FAISS.

The rotation is FAISS's on purpose, and not that of :mod:`hmar.training.heads.itq`, which our own heads start
from: it is a reference that is independent of ours, and the one that rows so far were measured with. It is
also the weaker of the two: on drawn features its error rises again after a few iterations and stays above
that of ours (``tests/hmar/training/heads/test_itq.py``).
"""

from __future__ import annotations

from typing import ClassVar

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmark.peers.bits import check_bits, pack_bits
from benchmark.peers.scaling import UnitCentring, principal_axes
from benchmark.types import Describe, Features


class Itq:
    """Principal components, rotated to the least quantisation error.

    FAISS finds the rotation (``ITQTransform``: rows centred and of unit length). The components are found
    before it, because its own reduction needs more images than bits; if there are fewer components than bits,
    the rest is zero and the rotation spreads the components over all the bits.
    """

    name: ClassVar[str] = "itq"
    paper: ClassVar[str] = "Gong & Lazebnik, CVPR 2011"
    learns: ClassVar[bool] = True

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Find axes and rotation on train. See :class:`benchmark.types.Peer`."""
        scale = UnitCentring.of(train.pooled)
        axes = principal_axes(scale(train.pooled), check_bits(bits))

        def components(features: Features) -> NDArray[np.float32]:
            return np.ascontiguousarray(scale(features.pooled) @ axes)

        transform = faiss.ITQTransform(bits, bits, False)
        transform.itq.seed = seed
        transform.train(components(train))
        return lambda features: pack_bits(transform.apply(components(features)))
