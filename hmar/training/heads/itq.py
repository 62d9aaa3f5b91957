"""Iterative quantisation (Gong & Lazebnik, CVPR 2011): the rotation whose signs lose least."""

from __future__ import annotations

import torch
from torch import Tensor

_ITERATIONS = 40
"""Of the two alternating steps; the paper has 50, and the error hardly falls after the first few dozen."""


def itq(features: Tensor, generator: torch.Generator) -> Tensor:
    """Return the rotation (D, D) that brings centred features nearest to their signs.

    Parameters
    ----------
    features : Tensor, shape (N, D)
    generator : torch.Generator
        Draws the rotation that iteration starts from.
    """
    rotation = random_rotation(features.shape[1], generator)
    for _ in range(_ITERATIONS):
        signs = torch.where(features @ rotation > 0, 1.0, -1.0)
        left, _, right = torch.linalg.svd(signs.T @ features)
        rotation = (left @ right).T
    return rotation


def random_rotation(size: int, generator: torch.Generator) -> Tensor:
    """Return a random orthogonal matrix (D, D)."""
    rotation: Tensor = torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
    return rotation
