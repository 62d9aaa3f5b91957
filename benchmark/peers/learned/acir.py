"""A head and a loss like ACIR's, on the features that all peers share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.peers.learned.heads import KanHead
from benchmark.peers.learned.models import Batch, CodeModel, HeadModel, Objective
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features

_CROSS_ENTROPY = 0.5
_MARGIN = 1.0


class AcirLoss(Objective):
    """``sum w_ij d_ij / sum w_ij`` over pairs of a class, the like over two classes, and 0.5 cross-entropy.

    d = 1 - r is the Pearson distance of logits, r their correlation. Pairs of a class are pulled together
    with w = (1 + f) / 2, f the correlation of their 32x32 fingerprints; pairs of two classes are pushed to a
    distance of at least 1, ``max(0, 1 - d)``, with the same weights: what looks alike counts more.

    Parameters
    ----------
    classes, bits : int
    """

    def __init__(self, classes: int, bits: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(bits, classes)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        distance = 1 - _correlation(logits)  # (B, B)
        weight = (1 + _correlation(batch.thumbnails)) / 2
        similar = batch.labels[:, None] == batch.labels
        apart = ~torch.eye(len(logits), dtype=torch.bool)
        pulled = _weighted(distance, weight * (similar & apart))
        pushed = _weighted(F.relu(_MARGIN - distance), weight * ~similar)
        return pulled + pushed + _CROSS_ENTROPY * F.cross_entropy(self.classifier(logits), batch.labels)


def _correlation(rows: Tensor) -> Tensor:
    """Pearson's r of every two rows, (B, N) -> (B, B)."""
    unit = F.normalize(rows - rows.mean(dim=1, keepdim=True), dim=1)
    return unit @ unit.T


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1e-6)


class Acir:
    """A KAN head with a pairwise Pearson loss that looks at the pictures too."""

    name: ClassVar[str] = "acir"
    paper: ClassVar[str] = "after ACIR (Nan et al., arXiv 2503.09370): its head and loss"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:  # noqa: ARG001 - draws nothing
            return HeadModel(KanHead(inputs, bits), AcirLoss(classes, bits))

        return learn(build, train, val, seed, self.schedule)
