"""Ablation of the 3x3 parts: one average of each window, without its spatial arrangement."""

from __future__ import annotations

from torch import Tensor

from hmar.model.config import PARTS, NetworkConfig
from hmar.model.experts import LocalExpert
from hmar.model.network import HmarNetwork
from hmar.training.trainable import trainable_network


class AveragingExpert(LocalExpert):
    """Expert1 that gets the mean of a window's parts in place of each part."""

    def seen(self, windows: Tensor) -> Tensor:
        """Pooled windows (N, width * 9) -> the mean of each window's parts in place of each part."""
        parts = windows.reshape(len(windows), -1, PARTS * PARTS)
        return parts.mean(dim=2, keepdim=True).expand_as(parts).flatten(1)


def averaging_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network whose Expert1 averages."""
    network = trainable_network(config)
    network.local_expert = AveragingExpert(network.backbone.channels, config.width, network.local_expert.head)
    return network
