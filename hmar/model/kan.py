"""Kolmogorov-Arnold layers in folded form, which serving runs and training differentiates.

A KAN layer (Liu et al., ICLR 2025) sums a learned function of each input: a SiLU term and a B-spline.
Folding its masks and scales into two matrices leaves ``y = SiLU(x) W_base + B(x) W_spline``, with B the
B-spline basis.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def spline_basis(x: Tensor, knots: Tensor, order: int) -> Tensor:
    """Evaluate the B-spline basis by the Cox-de Boor recursion.

    Parameters
    ----------
    x : Tensor, shape (..., I)
        Inputs; outside the knots every basis function is 0.
    knots : Tensor, shape (I, G + 2 * order + 1)
        Ascending knots of each input, the ``order`` extra ones on both sides included.
    order : int
        Order of the polynomial pieces.

    Returns
    -------
    Tensor, shape (..., I, G + order)
    """
    x = x.unsqueeze(-1)  # (..., I, 1)
    basis = ((x >= knots[:, :-1]) & (x < knots[:, 1:])).to(x.dtype)
    for degree in range(1, order + 1):
        rising = (x - knots[:, : -degree - 1]) / (knots[:, degree:-1] - knots[:, : -degree - 1])
        falling = (knots[:, degree + 1 :] - x) / (knots[:, degree + 1 :] - knots[:, 1:-degree])
        basis = rising * basis[..., :-1] + falling * basis[..., 1:]
    return basis


def kan_forward(x: Tensor, knots: Tensor, order: int, base: Tensor, spline: Tensor) -> Tensor:
    """Apply a folded KAN layer.

    Parameters
    ----------
    x : Tensor, shape (N, I)
    knots : Tensor, shape (I, G + 2 * order + 1)
    order : int
    base : Tensor, shape (I, O)
        ``mask * scale_base``.
    spline : Tensor, shape (I, G + order, O)
        ``mask * scale_sp * coef``.

    Returns
    -------
    Tensor, shape (N, O)
    """
    basis = spline_basis(x, knots, order)  # (N, I, G + order)
    return F.silu(x) @ base + basis.flatten(1) @ spline.flatten(0, 1)


class FoldedKAN(nn.Module):
    """A KAN layer for serving.

    Parameters
    ----------
    inputs, outputs : int
        Widths.
    intervals : int
        Number of grid intervals G.
    order : int
        Spline order.
    """

    knots: Tensor
    base: Tensor
    spline: Tensor

    def __init__(self, inputs: int, outputs: int, intervals: int, order: int) -> None:
        super().__init__()
        self.order = order
        self.register_buffer("knots", torch.zeros(inputs, intervals + 2 * order + 1))
        self.register_buffer("base", torch.zeros(inputs, outputs))
        self.register_buffer("spline", torch.zeros(inputs, intervals + order, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(N, I) -> (N, O)."""
        return kan_forward(x, self.knots, self.order, self.base, self.spline)
