"""The network in the form that trains."""

from __future__ import annotations

from collections.abc import Callable

from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.heads.kan_layer import TrainableKAN

BuildNetwork = Callable[[NetworkConfig], HmarNetwork]
"""Builds a network in the form that trains: its heads end with a :class:`CodeLayer`."""


def trainable_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network with KAN layers in the form that trains."""
    return HmarNetwork(config, kan=TrainableKAN)
