"""The network: one trunk, two experts, one router."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from hmar.codes import CODE_BITS
from hmar.model.experts import PARTS, GlobalExpert, LocalExpert
from hmar.model.hash_head import HashHead, KanFactory
from hmar.model.kan import FoldedKAN
from hmar.model.router import Router
from hmar.model.trunks import build_trunk


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Sizes of the network; part of a model's configuration.

    Parameters
    ----------
    width : int
        Channels that windows are pooled from.
    hidden : int
        Width of the heads' bottleneck, the KAN layers' input.
    intervals, order : int
        Grid intervals and order of the KAN layers' splines.
    trunk : str
        Name of the trunk, see :data:`hmar.model.trunks.TRUNKS`. Models written before there was a choice do
        not say it.
    """

    width: int = 64
    hidden: int = 256
    intervals: int = 5
    order: int = 3
    trunk: str = "lite0"


class HmarNetwork(nn.Module):
    """Trunk, Expert0, Expert1 and router.

    Parameters
    ----------
    config : NetworkConfig
    kan : KanFactory
        Builds the KAN layers; the default is the folded form that serves.
    """

    def __init__(self, config: NetworkConfig, kan: KanFactory = FoldedKAN) -> None:
        super().__init__()
        self.config = config
        self.trunk = build_trunk(config.trunk)
        channels = self.trunk.channels
        self.global_expert = GlobalExpert(channels, config.width, self._head(config, kan))
        self.local_expert = LocalExpert(channels, config.width, self._head(config, kan))
        self.router = Router(channels)

    @staticmethod
    def _head(config: NetworkConfig, kan: KanFactory) -> HashHead:
        inputs = config.width * PARTS * PARTS
        return HashHead(inputs, config.hidden, CODE_BITS, config.intervals, config.order, kan)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) in 0..1 -> the trunk's map (B, C, H / 16, W / 16) that both experts share."""
        trunk_map: Tensor = self.trunk(images)
        return trunk_map
