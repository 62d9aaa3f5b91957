"""HashNet: pairwise loss, and a tanh that sharpens into a sign."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.peers.learned.heads import linear_head
from benchmark.peers.learned.models import Batch, CodeModel, HeadModel, Objective
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features

_SIGMOID = 10.0
_LAST_BETA = 10.0


class HashNetLoss(Objective):
    """``mean w_ij (log(1 + exp(a h_i.h_j)) - s_ij a h_i.h_j)`` over pairs i != j of a batch.

    h = tanh(beta u), a = 10 / bits, s_ij = 1 for one class and 0 for two, w_ij the inverse of the share of
    such pairs. beta rises from 1 to 10 with training, as the square root of steps in the paper.
    """

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        beta = math.sqrt(1 + (_LAST_BETA**2 - 1) * batch.done)
        relaxed = torch.tanh(beta * logits)
        product = _SIGMOID / logits.shape[1] * relaxed @ relaxed.T  # (B, B)
        similar = batch.labels[:, None] == batch.labels
        apart = ~torch.eye(len(logits), dtype=torch.bool)
        likelihood = F.softplus(product) - similar * product
        kinds = [likelihood[kind & apart] for kind in (similar, ~similar)]
        return torch.stack([kind.mean() for kind in kinds if len(kind)]).sum()


class HashNet:
    """A linear head with the weighted pairwise likelihood."""

    name: ClassVar[str] = "hashnet"
    paper: ClassVar[str] = "HashNet (Cao et al., ICCV 2017)"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:  # noqa: ARG001 - draws nothing
            return HeadModel(linear_head(inputs, bits), HashNetLoss())

        return learn(build, train, val, seed, self.schedule)
