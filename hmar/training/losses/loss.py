"""The interface of a loss: its weight by the settings, and its value on a batch."""

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
        """Return its weight by the settings, with or without windows; with 0 it is left out."""

    @abstractmethod
    def forward(self, seen: Seen) -> Tensor | None:
        """Return the weighted loss of a batch; None where it applies to nothing in the batch."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold besides the network; nothing by default."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""
