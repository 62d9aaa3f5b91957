"""Our model, trained on labelled images: with all its parts, and without one part at a time."""

from __future__ import annotations

from typing import ClassVar

from benchmark.peers.hmar.batches import Mixing
from benchmark.peers.hmar.network import HmarImageNetwork, HmarSizes
from benchmark.peers.hmar.settings import HmarTraining
from benchmark.peers.hmar.training import train_hmar
from benchmark.types import Describe, Features, Peer


class Hmar:
    """Two experts with KAN heads, a router, two stages; on the same frozen features as the other peers."""

    name: ClassVar[str] = "hmar"
    paper: ClassVar[str] = "HMAR (arXiv 2603.16679), this project's own build of it"
    learns: ClassVar[bool] = True
    kan: ClassVar[bool] = True
    router: ClassVar[bool] = True
    stage2: ClassVar[bool] = True
    sizes: ClassVar[HmarSizes] = HmarSizes()
    training: ClassVar[HmarTraining] = HmarTraining()
    mixing: ClassVar[Mixing] = Mixing()

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train both stages. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, frame: int, window: int, bits: int) -> HmarImageNetwork:
            return HmarImageNetwork(
                inputs, frame, window, bits, kan=self.kan, router=self.router, sizes=self.sizes
            )

        return train_hmar(
            build, train, val, classes, bits, seed, self.training, self.mixing, stage2=self.stage2
        )


class HmarNoKan(Hmar):
    """A matrix in place of each KAN layer."""

    name: ClassVar[str] = "hmar-no-kan"
    kan: ClassVar[bool] = False


class HmarNoRouter(Hmar):
    """Both experts count the same in every image."""

    name: ClassVar[str] = "hmar-no-router"
    router: ClassVar[bool] = False


class HmarNoStage2(Hmar):
    """The first stage only, for as many steps as both."""

    name: ClassVar[str] = "hmar-no-stage2"
    stage2: ClassVar[bool] = False


HMAR_PEERS: tuple[Peer, ...] = (Hmar(), HmarNoKan(), HmarNoRouter(), HmarNoStage2())
