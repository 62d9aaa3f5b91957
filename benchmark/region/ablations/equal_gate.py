"""Ablation of the router: both experts have equal weight in the losses."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.model.router import Router, Routing
from hmar.training.trainable import trainable_network


class EqualRouter(Router):
    """A router that predicts modality and region, and weights both experts equally."""

    def forward(self, backbone_map: Tensor, modality: Tensor, region: Tensor) -> Routing:
        """Route a batch; see :class:`hmar.model.router.Router`."""
        routing = super().forward(backbone_map, modality, region)
        return replace(routing, gate=torch.full_like(routing.gate, 0.5))


def equal_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network whose gate is always equal."""
    network = trainable_network(config)
    network.router = EqualRouter(network.backbone.channels)
    return network
