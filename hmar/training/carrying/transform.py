"""Maps from places of one body to the same places of another: affine, bent by a grid of control points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """A map of points (z, y, x) in mm: ``linear @ p + offset``, and cubic B-splines on top.

    Parameters
    ----------
    linear : Tensor, shape (3, 3)
    offset : Tensor, shape (3,)
    control : Tensor, shape (3, I, J, K), or None
        Displacements in mm of control points along z, y and x; None for an affine map.
    spacing_mm : float
        Distance of control points; the second of each axis lies at 0.
    """

    linear: Tensor
    offset: Tensor
    control: Tensor | None = None
    spacing_mm: float = 1.0

    def on_grid(self, z: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """Return where the points of a grid, given along each axis in mm, go: (3, Z, Y, X)."""
        columns = self.linear.T  # what a step along z, y and x adds
        mapped = (
            self.offset[:, None, None, None]
            + columns[0][:, None, None, None] * z[None, :, None, None]
            + columns[1][:, None, None, None] * y[None, None, :, None]
            + columns[2][:, None, None, None] * x[None, None, None, :]
        )
        if self.control is None:
            return mapped
        of_z, of_y, of_x = (
            spline_weights(at, count, self.spacing_mm)
            for at, count in zip((z, y, x), self.control.shape[1:], strict=True)
        )
        along_z = torch.einsum("zi,cijk->czjk", of_z, self.control)
        along_y = torch.einsum("yj,czjk->czyk", of_y, along_z)
        return mapped + torch.einsum("xk,czyk->czyx", of_x, along_y)


def control_points(extent_mm: Tensor, spacing_mm: float) -> Tensor:
    """Return control points (3, I, J, K) over everything from 0 to an extent (3,), displacements of 0."""
    return torch.zeros(3, *(int(count) + 3 for count in (extent_mm / spacing_mm).ceil().tolist()))


def spline_weights(at_mm: Tensor, count: int, spacing_mm: float) -> Tensor:
    """Return the weights (N, count) of control points at positions (N,), by uniform cubic B-splines."""
    distance = (at_mm[:, None] / spacing_mm + 1 - torch.arange(count)).abs()
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)
