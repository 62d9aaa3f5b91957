"""How well a warped volume fits another, and how much a map bends: what registration minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_LEAST_VARIANCE = 1e-3
"""Added to variances of values between 0 and 1, so that flat regions count little."""


def correlation(first: Tensor, second: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted correlation of values (C, Z, Y, X), each channel about its own mean, all together.

    Parameters
    ----------
    first, second : Tensor, shape (C, Z, Y, X)
    weight : Tensor, shape (Z, Y, X)
    """
    share = weight / weight.sum().clamp(min=1e-6)
    a, b = (value - (share * value).sum((1, 2, 3), keepdim=True) for value in (first, second))
    product, power_a, power_b = ((share * each).sum() for each in (a * b, a * a, b * b))
    together: Tensor = product / ((power_a + _LEAST_VARIANCE) * (power_b + _LEAST_VARIANCE)).sqrt()
    return together


def local_correlation(first: Tensor, second: Tensor, weight: Tensor, cells: int) -> Tensor:
    """Return the mean squared correlation of values (Z, Y, X) in boxes of ``cells`` cells, weighted."""
    a, b = weight * first, weight * second
    w, a, b, aa, bb, ab = _box(torch.stack([weight, a, b, a * first, b * second, a * second]), cells)
    w = w.clamp(min=1e-3)
    a, b = a / w, b / w
    covariance, var_a, var_b = ab / w - a * b, aa / w - a * a, bb / w - b * b
    squared: Tensor = covariance.square() / (
        (var_a.clamp(min=0) + _LEAST_VARIANCE) * (var_b.clamp(min=0) + _LEAST_VARIANCE)
    )
    mean: Tensor = (weight * squared).sum() / weight.sum().clamp(min=1e-6)
    return mean


def _box(values: Tensor, cells: int) -> Tensor:
    """Average (C, Z, Y, X) over cubes, one axis after the other."""
    for axis in range(3):
        size, pad = [1, 1, 1], [0, 0, 0]
        size[axis], pad[axis] = cells, cells // 2
        values = F.avg_pool3d(values[None], size, 1, pad)[0]
    return values


def bending(control: Tensor) -> Tensor:
    """Return the mean squared second difference of control points (3, I, J, K), mixed ones included."""
    total = control.new_zeros(())
    for first in (1, 2, 3):
        for second in range(first, 4):
            differences = control.diff(dim=first).diff(dim=second)
            total = total + (1 if first == second else 2) * differences.square().mean()
    return total
