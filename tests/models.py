"""Models with random weights in a sealed folder, small enough to be written by a test."""

from __future__ import annotations

from pathlib import Path

import torch

from hmar.image.grid import GridConfig
from hmar.image.windows import WindowConfig
from hmar.model.bundle import BACKBONE, CARD, GOLDEN, TYPICALITY, seal
from hmar.model.config import NetworkConfig
from hmar.model.kan import FoldedKAN
from hmar.model.network import HmarNetwork
from hmar.model.serving.references import NO_REFERENCES, write_references
from hmar.model.weights import write_weights


def random_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network whose KAN layers have a grid from -2 to 2 and random weights."""
    torch.manual_seed(0)
    network = HmarNetwork(config).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, FoldedKAN):
            fill(module, config.intervals)
    return network


def fill(layer: FoldedKAN, intervals: int) -> None:
    """Give a KAN layer the grid that training gives it, and random weights."""
    step = 4 / intervals
    knots = torch.arange(-layer.order, intervals + layer.order + 1) * step - 2
    layer.knots.copy_(knots.expand_as(layer.knots))
    layer.base.normal_()
    layer.spline.normal_()


def write_model(folder: Path, config: NetworkConfig) -> HmarNetwork:
    """Write a sealed model of random weights and an empty graph of the backbone: nothing that serves."""
    network = random_network(config)
    write_weights(folder, folder.name, network, GridConfig(), WindowConfig())
    (folder / CARD).write_text("card")
    (folder / GOLDEN).touch()
    (folder / BACKBONE).touch()
    write_references(folder / TYPICALITY, NO_REFERENCES)
    seal(folder)
    return network
