"""OrthoHash's loss: a cosine to the code of the class, with a margin (Hoe et al., NeurIPS 2021)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from benchmark.peers.learned.models import Batch, Objective

_SCALE = 8.0
_MARGIN = 0.2


class OrthoHashLoss(Objective):
    """``CE(s (cos(u, c_k) - m [k = y]), y)`` over all classes k, with s = 8 and m = 0.2.

    Parameters
    ----------
    codes : ndarray of int8, shape (classes, bits)
        -1 or 1, orthogonal where they can be.
    """

    directions: Tensor

    def __init__(self, codes: NDArray[np.int8]) -> None:
        super().__init__()
        self.register_buffer("directions", F.normalize(torch.from_numpy(codes).float(), dim=1))

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        cosine = F.normalize(logits, dim=1) @ self.directions.T  # (B, classes)
        margin = _MARGIN * F.one_hot(batch.labels, len(self.directions))
        return F.cross_entropy(_SCALE * (cosine - margin), batch.labels)
