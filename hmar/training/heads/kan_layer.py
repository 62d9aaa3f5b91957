"""A trainable KAN layer on pykan's KANLayer, and its folding into the served form."""

from __future__ import annotations

import torch
from kan import KANLayer
from torch import Tensor
from torch.nn import functional as F

from hmar.model.kan import FoldedKAN, kan_forward, spline_basis
from hmar.training.heads.code_layer import CodeLayer

_GRID_RANGE = (-2.0, 2.0)
"""Four standard deviations of the inputs to each side, see :data:`hmar.model.config.KAN_INPUT_SCALE`."""

_NOISE_SCALE = 0.3
"""pykan's default for whole networks. Heads are then set to a linear map, which leaves none of it."""

_FITTED_AT = 64
"""Points that a spline is fitted to a linear function at: several in each of its intervals."""


class TrainableKAN(CodeLayer):
    """A KAN layer whose parameters, grid and initialisation are pykan's.

    The forward pass folds the layer's parameters first: the same function and the same gradients as
    ``KANLayer.forward`` (a test compares both), without its (batch, out, in) arrays.
    """

    def __init__(self, inputs: int, outputs: int, intervals: int, order: int) -> None:
        super().__init__()
        self.order, self.outputs = order, outputs
        self.layer = KANLayer(
            inputs, outputs, num=intervals, k=order, grid_range=list(_GRID_RANGE), noise_scale=_NOISE_SCALE
        )

    def folded_weights(self) -> tuple[Tensor, Tensor]:
        """Return (base (I, O), spline (I, G + order, O)) as differentiable functions of the parameters."""
        base = self.layer.mask * self.layer.scale_base
        spline = (self.layer.mask * self.layer.scale_sp)[:, :, None] * self.layer.coef
        return base, spline.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, I) -> (N, O)."""
        base, spline = self.folded_weights()
        return kan_forward(x, self.layer.grid, self.order, base, spline)

    def basis(self, x: Tensor) -> Tensor:
        """Return the spline basis (N, I, G + order) at x (N, I)."""
        return spline_basis(x, self.layer.grid, self.order)

    @torch.no_grad()
    def set_linear(self, weight: Tensor) -> None:
        """Compute ``x @ weight`` (I, O) on the grid; the spline supplies what SiLU lacks."""
        layer = self.layer
        weight = weight.to(layer.grid.device)
        layer.scale_base.copy_(weight)
        layer.scale_sp.fill_(1.0)
        low, high = float(layer.grid[0, self.order]), float(layer.grid[0, -self.order - 1])
        x = torch.linspace(low, high, _FITTED_AT, device=weight.device)
        rest = x - F.silu(x)  # what SiLU lacks to be linear
        basis = self.basis(x[:, None].expand(-1, weight.shape[0]))[:, 0]  # (points, G + order)
        # In double precision, so that rounding that differs between machines does not reach the weights.
        solution = torch.linalg.lstsq(basis.double(), rest[:, None].double()).solution
        coefficients = solution[:, 0].float()  # (G + order,)
        layer.coef.copy_(weight[:, :, None] * coefficients)

    @torch.no_grad()
    def rescale(self, shift: Tensor, scale: Tensor) -> None:
        """Compute ``(y - shift) * scale`` for inputs on the grid, where a spline basis sums to 1."""
        layer = self.layer
        base, spline = self.folded_weights()  # (I, O), (I, G + order, O)
        layer.mask.fill_(1.0)
        layer.scale_base.copy_(base * scale)
        layer.scale_sp.fill_(1.0)
        layer.coef.copy_(((spline - shift / len(base)) * scale).transpose(1, 2))

    @torch.no_grad()
    def fold(self) -> FoldedKAN:
        """Return the served form."""
        base, spline = self.folded_weights()
        knots = self.layer.grid
        folded = FoldedKAN(knots.shape[0], base.shape[1], knots.shape[1] - 2 * self.order - 1, self.order)
        folded.knots.copy_(knots)
        folded.base.copy_(base)
        folded.spline.copy_(spline)
        return folded
