"""InfoNCE: two views of one place are more alike than any two of different places."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def contrastive(first: Tensor, second: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Return the symmetric InfoNCE loss of each pair (van den Oord et al., 2018) on soft bits.

    Parameters
    ----------
    first, second : Tensor, shape (N, bits)
        Logits of two views; row i of one belongs with row i of the other.
    negative : Tensor of bool, shape (N, N)
        Which pairs may be pushed apart; pairs that overlap in the body may not.
    temperature : float

    Returns
    -------
    Tensor, shape (N,)
    """
    a, b = F.normalize(torch.tanh(first), dim=1), F.normalize(torch.tanh(second), dim=1)
    similarity = a @ b.T / temperature
    similarity = similarity.masked_fill(
        ~(negative | torch.eye(len(a), dtype=torch.bool, device=a.device)), float("-inf")
    )
    target = torch.arange(len(a), device=a.device)
    forward = F.cross_entropy(similarity, target, reduction="none")
    backward = F.cross_entropy(similarity.T, target, reduction="none")
    return (forward + backward) / 2
