"""The network: one trunk, two experts, one router."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from hmar.codes import CODE_BITS
from hmar.model.backbone import CHANNELS, Lite0Trunk
from hmar.model.experts import PARTS, GlobalExpert, LocalExpert
from hmar.model.hash_head import HashHead, KanFactory
from hmar.model.kan import FoldedKAN
from hmar.model.router import Router


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
    """

    width: int = 64
    hidden: int = 256
    intervals: int = 5
    order: int = 3


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
        self.trunk: nn.Module = Lite0Trunk()
        self.global_expert = GlobalExpert(CHANNELS, config.width, self._head(config, kan))
        self.local_expert = LocalExpert(CHANNELS, config.width, self._head(config, kan))
        self.router = Router(CHANNELS)

    @staticmethod
    def _head(config: NetworkConfig, kan: KanFactory) -> HashHead:
        inputs = config.width * PARTS * PARTS
        return HashHead(inputs, config.hidden, CODE_BITS, config.intervals, config.order, kan)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) in 0..1 -> the trunk's map (B, 112, H / 16, W / 16) that both experts share."""
        trunk_map: Tensor = self.trunk(images)
        return trunk_map
