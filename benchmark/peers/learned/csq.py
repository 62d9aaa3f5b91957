"""Central similarity quantisation."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from benchmark.peers.learned.heads import linear_head
from benchmark.peers.learned.models import Batch, CodeModel, HeadModel, Objective
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features
from hmar.training.losses.class_codes import class_codes

_QUANTISATION = 1e-4


class CsqLoss(Objective):
    """``mean BCE((1 + tanh u) / 2, (1 + c_y) / 2) + 1e-4 mean (|tanh u| - 1)^2``.

    Parameters
    ----------
    centres : ndarray of int8, shape (classes, bits)
        Hash centres, -1 or 1.
    """

    centres: Tensor

    def __init__(self, centres: NDArray[np.int8]) -> None:
        super().__init__()
        self.register_buffer("centres", torch.from_numpy(centres).float())

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        targets = (self.centres[batch.labels] + 1) / 2
        # (1 + tanh u) / 2 is the logistic function of 2 u, whose entropy is finite for every u.
        central = F.binary_cross_entropy_with_logits(2 * logits, targets)
        return central + _QUANTISATION * (torch.tanh(logits).abs() - 1).square().mean()


class Csq:
    """A linear head pulled to one Hadamard hash centre per class."""

    name: ClassVar[str] = "csq"
    paper: ClassVar[str] = "CSQ (Yuan et al., CVPR 2020)"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:
            return HeadModel(linear_head(inputs, bits), CsqLoss(class_codes(classes, bits, rng)))

        return learn(build, train, val, seed, self.schedule)
