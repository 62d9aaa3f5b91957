"""The control: codes of a classifier's prediction, as good as retrieval by class label alone can be."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.peers.learned.models import Batch, CodeModel
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features
from hmar.training.losses.class_codes import class_codes


class ClassCodeModel(CodeModel):
    """A linear classifier, trained with cross-entropy, whose prediction is looked up in a table of codes.

    Parameters
    ----------
    inputs : int
    codes : ndarray of int8, shape (classes, bits)
        -1 or 1.
    """

    codes: Tensor

    def __init__(self, inputs: int, codes: NDArray[np.int8]) -> None:
        super().__init__()
        self.classifier = nn.Linear(inputs, len(codes))
        self.register_buffer("codes", torch.from_numpy(codes).float())

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, bits)."""
        return self.codes[self.classifier(x).argmax(dim=1)]

    def loss(self, x: Tensor, batch: Batch) -> Tensor:
        """(B, D) -> scalar."""
        return F.cross_entropy(self.classifier(x), batch.labels)


class Trivial:
    """The predicted class's code; every image predicted alike is at distance 0."""

    name: ClassVar[str] = "trivial"
    paper: ClassVar[str] = "the control of Sablayrolles et al., ICASSP 2017"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the classifier. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:
            return ClassCodeModel(inputs, class_codes(classes, bits, rng))

        return learn(build, train, val, seed, self.schedule)
