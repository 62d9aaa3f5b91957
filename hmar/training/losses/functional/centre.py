"""OrthoHash: logits point to the code of their class, with a margin."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def centre_loss(logits: Tensor, target: Tensor, directions: Tensor, scale: float, margin: float) -> Tensor:
    """Return OrthoHash's loss of each image (Hoe et al., NeurIPS 2021), for labels that may be mixed.

    Parameters
    ----------
    logits : Tensor, shape (B, bits)
    target : Tensor, shape (B, classes)
        Share of each class in each image; rows sum to 1.
    directions : Tensor, shape (classes, bits)
        The classes' codes as -1 or 1, scaled to length 1.
    scale, margin : float

    Returns
    -------
    Tensor, shape (B,)
    """
    cosine = F.normalize(logits, dim=1) @ directions.T
    return -(target * F.log_softmax(scale * (cosine - margin * target), dim=1)).sum(dim=1)
