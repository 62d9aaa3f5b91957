"""The heads of the learned peers: from standardised features (N, D) to logits (N, bits)."""

from __future__ import annotations

from torch import Tensor, nn

from hmar.training.heads.kan_layer import TrainableKAN

_HIDDEN = 512
_KAN_WIDTH = 256
_INTERVALS = 5
_ORDER = 3


def balanced(head: nn.Module, bits: int) -> nn.Module:
    """Add a normalisation of each logit over the batch, so that about half the images have each bit set."""
    return nn.Sequential(head, nn.BatchNorm1d(bits, affine=False))


def linear_head(inputs: int, bits: int) -> nn.Module:
    """One matrix and a bias."""
    return nn.Linear(inputs, bits)


def mlp_head(inputs: int, bits: int) -> nn.Module:
    """One hidden layer of 512."""
    return nn.Sequential(nn.Linear(inputs, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, bits))


class KanHead(nn.Module):
    """Two KAN layers of grid 5 and order 3 behind a learned matrix: [D -> 256], KAN [256, 256, bits].

    The matrix keeps it light: a spline has eight weights where a matrix has one. Each KAN layer follows
    a LayerNorm and a halving, which keep its inputs inside the grid -2 to 2: outside it the spline is zero.
    """

    def __init__(self, inputs: int, bits: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(inputs, _KAN_WIDTH, bias=False)
        self.norms = nn.ModuleList(nn.LayerNorm(_KAN_WIDTH) for _ in range(2))
        self.layers = nn.ModuleList(
            TrainableKAN(_KAN_WIDTH, width, _INTERVALS, _ORDER) for width in (_KAN_WIDTH, bits)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, bits)."""
        x = self.reduce(x)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = layer(norm(x) * 0.5)
        return x
