"""Losses of the router: reading tags from the image, and the entropy of its gate."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Self

from torch import Tensor
from torch.nn import functional as F

from hmar.training.config import TrainingConfig
from hmar.training.losses.context import UNKNOWN, Context, Seen
from hmar.training.losses.functional.gate_entropy import gate_entropy
from hmar.training.losses.loss import Loss

_READING_WEIGHT = 0.2
"""Weight of reading a tag from the image. Small: it trains the router alone, for images without tags."""


class _Reading(Loss):
    """The cross-entropy of the router's own reading of a tag, over images that have it."""

    @classmethod
    def of(cls, context: Context) -> Self:  # noqa: ARG003 - needs no settings
        """Build the loss."""
        return cls()

    def weight(self, *, regions: bool) -> float:  # noqa: ARG002 - the same in every stage
        """Return a constant."""
        return _READING_WEIGHT

    @abstractmethod
    def read_and_known(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Return the router's logits (M, classes) and the tags (M,)."""

    def forward(self, seen: Seen) -> Tensor | None:
        """Return the mean over images that have the tag; None where none has."""
        logits, known = self.read_and_known(seen)
        if not bool((known != UNKNOWN).any()):
            return None
        return _READING_WEIGHT * F.cross_entropy(
            logits, known.to(logits.device, non_blocking=True), ignore_index=UNKNOWN
        )


class ModalityReading(_Reading):
    """The router's reading of the modality."""

    name: ClassVar[str] = "modality"

    def read_and_known(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Return logits and tags of the modality."""
        return seen.routing.modality, seen.modality


class RegionReading(_Reading):
    """The router's reading of the body region."""

    name: ClassVar[str] = "region"

    def read_and_known(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Return logits and tags of the body region."""
        return seen.routing.region, seen.region


class GateEntropy(Loss):
    """The negative entropy of the gates: wherever gates are trained, both experts stay in use."""

    name: ClassVar[str] = "gate_entropy"

    def __init__(self, config: TrainingConfig, *, labels: bool) -> None:
        super().__init__()
        self._weight, self._labels = config.gate_entropy_weight, labels

    @classmethod
    def of(cls, context: Context) -> Self:
        """Build the loss."""
        return cls(context.config, labels=context.labels.count > 0)

    def weight(self, *, regions: bool) -> float:
        """Return its weight; 0 where no loss is weighted by the gate: on whole images without labels."""
        return self._weight if regions or self._labels else 0.0

    def forward(self, seen: Seen) -> Tensor:
        """Return the weighted entropy, negated: a lower loss is a more even gate."""
        return -self._weight * gate_entropy(seen.gate)
