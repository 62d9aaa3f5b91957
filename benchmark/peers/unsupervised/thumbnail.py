"""The picture itself, shrunk: a baseline that any descriptor must beat."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmark.types import Describe, Descriptors, Features


class Thumbnail:
    """32x32 pixels minus the mean picture of train, floats, compared by cosine at every code length."""

    name: ClassVar[str] = "thumbnail"
    paper: ClassVar[str] = "none: cosine of 32x32 pixels less the mean picture"
    learns: ClassVar[bool] = False

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Take the mean picture of train. See :class:`benchmark.types.Peer`."""
        mean = train.thumbnails.mean(axis=0)

        def describe(features: Features) -> Descriptors:
            mean_free: NDArray[np.float32] = features.thumbnails - mean
            return mean_free

        return describe
