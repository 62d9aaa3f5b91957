"""Deep polarised network: push every bit past a margin, to its class's side."""

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

_MARGIN = 1.0


class DpnLoss(Objective):
    """``mean max(0, 1 - u c_y)``: the polarisation loss, with fixed targets.

    Parameters
    ----------
    targets : ndarray of int8, shape (classes, bits)
        -1 or 1.
    """

    targets: Tensor

    def __init__(self, targets: NDArray[np.int8]) -> None:
        super().__init__()
        self.register_buffer("targets", torch.from_numpy(targets).float())

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""
        return F.relu(_MARGIN - logits * self.targets[batch.labels]).mean()


class Dpn:
    """A linear head polarised towards one target code per class."""

    name: ClassVar[str] = "dpn"
    paper: ClassVar[str] = "DPN (Fan et al., IJCAI 2020)"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:
            return HeadModel(linear_head(inputs, bits), DpnLoss(class_codes(classes, bits, rng)))

        return learn(build, train, val, seed, self.schedule)
