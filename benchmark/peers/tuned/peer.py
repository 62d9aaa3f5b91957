"""Peers that fine-tune the backbone's last blocks on the images themselves: ours, and a linear head.

The other peers see frozen features, which compares heads and losses. These show how well images are found
when the backbone is trained, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmark.accuracy.lite0 import Lite0
from benchmark.peers.bits import pack_bits
from benchmark.peers.hmar.batches import Mixing
from benchmark.peers.tuned.augment import ImageVariation
from benchmark.peers.tuned.heads import BuildHead, ExpertsHead, OrthoHashHead
from benchmark.peers.tuned.network import TunedNetwork
from benchmark.peers.tuned.training import TunedTraining, tune
from benchmark.types import Describe, Features, Progress, silent
from hmar.training.losses.functional.nested import NESTED_BITS

BuildBackbone = Callable[[], Lite0]
"""Makes a new copy of the published backbone, batch norms folded."""


class _Tuned:
    """One training makes the codes of 64 and of 128 bits: it is done once for both.

    Parameters
    ----------
    backbone : BuildBackbone
    progress : Progress
        Told how far training and description are.
    """

    name: ClassVar[str]
    learns: ClassVar[bool] = True
    training: TunedTraining = TunedTraining()
    mixing: ClassVar[Mixing] = Mixing()
    variation: ClassVar[ImageVariation] = ImageVariation()
    head: ClassVar[BuildHead]

    def __init__(self, backbone: BuildBackbone, progress: Progress = silent) -> None:
        self._backbone, self._progress = backbone, progress
        self._train: Features | None = None
        self._made: dict[tuple[int, tuple[int, ...]], _Describer] = {}

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Train backbone and head; val is not used. See :class:`benchmark.types.Peer`."""
        lengths = NESTED_BITS if bits in NESTED_BITS else (bits,)
        if self._train is not train:  # another protocol: the networks of the last one are not needed again
            self._train = train
            self._made.clear()
        key, work = (seed, lengths), f"{self.name} with seed {seed}"
        if key not in self._made:
            network = tune(
                self._backbone(),
                type(self).head,
                train,
                classes,
                lengths,
                seed,
                self.training,
                self.mixing,
                self.variation,
                lambda done, total: self._progress(work, done, total),
            )
            self._made[key] = _Describer(network, work, self._progress)
        describer = self._made[key]
        return lambda features: describer(features, bits)


class _Describer:
    """Codes of images by one network, whose logits are computed once for all lengths."""

    def __init__(self, network: TunedNetwork, work: str, progress: Progress) -> None:
        self._network, self._work, self._progress = network, work, progress
        self._made: dict[int, tuple[Features, Tensor]] = {}

    def __call__(self, features: Features, bits: int) -> NDArray[np.uint8]:
        if id(features) not in self._made:
            work = f"{self._work} on {len(features)} images"
            logits = self._network.describe(
                features.paths, lambda done, total: self._progress(work, done, total)
            )
            self._made[id(features)] = (features, logits)
        return pack_bits(self._made[id(features)][1][:, :bits].numpy())


class HmarTuned(_Tuned):
    """Two experts with KAN heads and a router, and the backbone's last blocks."""

    name: ClassVar[str] = "hmar-tuned"
    paper: ClassVar[str] = "HMAR (arXiv 2603.16679), this project's own build of it; the backbone learns too"
    head: ClassVar[BuildHead] = ExpertsHead


class LinearTuned(_Tuned):
    """One matrix with OrthoHash's loss, and the backbone's last blocks: trained the same way."""

    name: ClassVar[str] = "linear-tuned"
    paper: ClassVar[str] = "OrthoHash (Hoe et al., NeurIPS 2021), linear head; the backbone learns too"
    head: ClassVar[BuildHead] = OrthoHashHead
