"""What every loss is: a weight that settings give it, and a value that it gives a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from hmar.training.losses.context import Context, Seen


class Loss(nn.Module, ABC):
    """A loss of the objective.

    ``name`` stands in logs and in the registry.
    """

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def of(cls, context: Context) -> Self | None:
        """Build the loss; None where the data have nothing for it to learn from."""

    @abstractmethod
    def weight(self, *, regions: bool) -> float:
        """Return what the settings weigh it with, where windows are compared or not; 0 leaves it out."""

    @abstractmethod
    def forward(self, seen: Seen) -> Tensor | None:
        """Return the loss of a batch, weighted; None where the batch says nothing of it."""

    def state(self) -> dict[str, Any]:
        """Return what later values depend on besides the network, for a checkpoint; nothing by default."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` returned."""
