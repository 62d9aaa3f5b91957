"""What the training loop trains: a head and a loss that look at one batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The inputs of a loss besides the logits.

    Parameters
    ----------
    labels : Tensor of int64, shape (B,)
    thumbnails : Tensor of float32, shape (B, 1024)
        32x32 pixels, 0 to 1.
    done : float
        Share of the training that is done, 0 to 1.
    """

    labels: Tensor
    thumbnails: Tensor
    done: float


class CodeModel(nn.Module, ABC):
    """Maps standardised features to logits, and computes the loss of a batch."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, bits); a bit is 1 where its logit is above 0."""

    @abstractmethod
    def loss(self, x: Tensor, batch: Batch) -> Tensor:
        """(B, D) -> scalar."""


class Objective(nn.Module, ABC):
    """A loss on logits, with its own parameters if it has any."""

    @abstractmethod
    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        """(B, bits) -> scalar."""


class HeadModel(CodeModel):
    """A head trained by a loss on its logits."""

    def __init__(self, head: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.head = head
        self.objective = objective

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, bits)."""
        logits: Tensor = self.head(x)
        return logits

    def loss(self, x: Tensor, batch: Batch) -> Tensor:
        """(B, D) -> scalar."""
        value: Tensor = self.objective(self.head(x), batch)
        return value


BuildModel = Callable[[int, np.random.Generator], CodeModel]
"""(features D, random generator) -> model."""
