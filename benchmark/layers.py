"""What KAN layers are compared with: a matrix, or a perceptron. Both can start as the same linear map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.heads.code_layer import CodeLayer


class MatrixLayer(CodeLayer):
    """A matrix and a bias."""

    def __init__(self, inputs: int, outputs: int, _intervals: int, _order: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        logits: Tensor = self.linear(x)
        return logits

    @torch.no_grad()
    def set_linear(self, weight: Tensor) -> None:
        """Compute ``x @ weight``."""
        self.linear.weight.copy_(weight.T)
        self.linear.bias.zero_()

    @torch.no_grad()
    def rescale(self, shift: Tensor, scale: Tensor) -> None:
        """Compute ``(y - shift) * scale``."""
        _rescale(self.linear, shift, scale)

    def fold(self) -> nn.Module:
        """Return the layer: it serves as it trains."""
        return self


class MlpLayer(CodeLayer):
    """A perceptron with one hidden layer, with as many parameters as the KAN layer that it replaces.

    That has for every input and output a spline of G + order coefficients and the scales of spline and SiLU.
    """

    def __init__(self, inputs: int, outputs: int, intervals: int, order: int) -> None:
        super().__init__()
        self.outputs = outputs
        hidden = round(inputs * outputs * (intervals + order + 2) / (inputs + outputs))
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        logits: Tensor = self.second(F.relu(self.first(x)))
        return logits

    @torch.no_grad()
    def set_linear(self, weight: Tensor) -> None:
        """Compute ``x @ weight``: for each input one hidden unit has its positive part, one its negative."""
        inputs = len(weight)
        identity = torch.eye(inputs)
        self.first.weight[: 2 * inputs] = torch.cat([identity, -identity])
        self.first.bias[: 2 * inputs] = 0
        self.second.weight.zero_()
        self.second.weight[:, : 2 * inputs] = torch.cat([weight, -weight]).T
        self.second.bias.zero_()

    @torch.no_grad()
    def rescale(self, shift: Tensor, scale: Tensor) -> None:
        """Compute ``(y - shift) * scale``."""
        _rescale(self.second, shift, scale)

    def fold(self) -> nn.Module:
        """Return the layer: it serves as it trains."""
        return self


def _rescale(linear: nn.Linear, shift: Tensor, scale: Tensor) -> None:
    linear.weight.mul_(scale[:, None])
    linear.bias.sub_(shift).mul_(scale)


def matrix_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network with a matrix in place of each KAN layer."""
    return HmarNetwork(config, kan=MatrixLayer)


def mlp_network(config: NetworkConfig) -> HmarNetwork:
    """Return a network with a perceptron in place of each KAN layer."""
    return HmarNetwork(config, kan=MlpLayer)
