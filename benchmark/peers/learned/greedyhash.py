"""GreedyHash: classify the bits themselves."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.peers.learned.heads import linear_head
from benchmark.peers.learned.models import Batch, CodeModel, HeadModel, Objective
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features

_PENALTY = 0.1


class GreedyHashLoss(Objective):
    """``CE(W b, y) + 0.1 mean ||u| - 1|^3`` with b = sign(u), whose gradient is passed on to u unchanged.

    Parameters
    ----------
    classes, bits : int
    """

    def __init__(self, classes: int, bits: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(bits, classes, bias=False)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        signs = torch.where(logits > 0, 1.0, -1.0)
        passed_on = logits + (signs - logits).detach()
        penalty = (logits.abs() - 1).abs().pow(3).mean()
        return F.cross_entropy(self.classifier(passed_on), batch.labels) + _PENALTY * penalty


class GreedyHash:
    """A linear head, with a classifier on its bits."""

    name: ClassVar[str] = "greedyhash"
    paper: ClassVar[str] = "GreedyHash (Su et al., NeurIPS 2018)"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:  # noqa: ARG001 - draws nothing
            return HeadModel(linear_head(inputs, bits), GreedyHashLoss(classes, bits))

        return learn(build, train, val, seed, self.schedule)
