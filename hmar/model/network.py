"""The network: one backbone, two experts, one router."""

from __future__ import annotations

from torch import Tensor, nn

from hmar.model.backbones.registry import build_backbone
from hmar.model.config import PARTS, NetworkConfig
from hmar.model.experts import GlobalExpert, LocalExpert
from hmar.model.hash_head import HashHead, KanFactory
from hmar.model.kan import FoldedKAN
from hmar.model.router import Router
from hmar.values.codes import CODE_BITS


class HmarNetwork(nn.Module):
    """Backbone, Expert0, Expert1 and router.

    Parameters
    ----------
    config : NetworkConfig
    kan : KanFactory
        Builds the KAN layers; the default is the folded form that serves.
    """

    def __init__(self, config: NetworkConfig, kan: KanFactory = FoldedKAN) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(config.backbone)
        channels = self.backbone.channels
        whole = config.frame_width or config.width
        self.global_expert = GlobalExpert(channels, whole, self._head(whole, config, kan))
        self.local_expert = LocalExpert(channels, config.width, self._head(config.width, config, kan))
        self.router = Router(channels)

    @staticmethod
    def _head(width: int, config: NetworkConfig, kan: KanFactory) -> HashHead:
        inputs = width * PARTS * PARTS
        return HashHead(inputs, config.hidden, CODE_BITS, config.intervals, config.order, kan)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W) in 0..1 -> the feature map (B, C, H / 16, W / 16) that both experts share."""
        backbone_map: Tensor = self.backbone(images)
        return backbone_map
