"""Losses on places: codes of two views of one place are nearer than codes of different places."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor

from hmar.training.config import TrainingConfig
from hmar.training.losses.context import Compared, Context, Seen
from hmar.training.losses.functional.nested import nested
from hmar.training.losses.loss import Loss

_EXPERTS = 2
"""Gates of a pair sum to 1: times two, an even gate leaves each expert's loss as it is."""

_LEVEL_DECAY = 0.98
"""Of each expert's running mean loss: it averages about fifty steps, so single batches hardly matter."""

_LEAST_LEVEL = 1e-6
"""Keeps the quotient finite for a loss that has reached 0."""


class ImagePlaces(Loss):
    """The contrastive loss of whole images, while no windows are compared."""

    name: ClassVar[str] = "image"

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self._short_share = config.short_share

    @classmethod
    def of(cls, context: Context) -> Self:
        """Build the loss."""
        return cls(context.config)

    def weight(self, *, regions: bool) -> float:
        """Return 1 on whole images: what the other losses of that stage are weighed against."""
        return 0.0 if regions else 1.0

    def forward(self, seen: Seen) -> Tensor:
        """Return the mean over pairs of images."""
        return _by_pair(seen.image, self._short_share).mean()


class GatedPlaces(Loss):
    """The contrastive losses of whole images (Expert0) and of windows (Expert1), weighted by the gate.

    Each is divided by its running mean: the gate compares how well experts do, not the scales of their
    losses. That mean is part of a checkpoint.
    """

    name: ClassVar[str] = "gated"

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self._weight, self._short_share = _EXPERTS * config.place_weight, config.short_share
        self._level: dict[str, Tensor] = {}

    @classmethod
    def of(cls, context: Context) -> Self:
        """Build the loss."""
        return cls(context.config)

    def weight(self, *, regions: bool) -> float:
        """Return the weight of places, where windows are compared."""
        return self._weight if regions else 0.0

    def forward(self, seen: Seen) -> Tensor:
        """Return the mean over pairs of views."""
        images = _by_pair(seen.image, self._short_share)  # (M,)
        windows = _by_pair(seen.windows_compared, self._short_share)  # (M * n,)
        windows = windows.reshape(len(images), -1).mean(dim=1)  # (M,)
        whole, local = seen.gate[:, 0], seen.gate[:, 1]
        gated = whole * self._relative("image", images) + local * self._relative("region", windows)
        return self._weight * gated.mean()

    def _relative(self, expert: str, losses: Tensor) -> Tensor:
        """Return losses over their running mean."""
        mean = losses.detach().mean()
        before = self._level.get(expert, mean).to(mean.device)  # one of a checkpoint comes from the processor
        self._level[expert] = _LEVEL_DECAY * before + (1 - _LEVEL_DECAY) * mean
        return losses / self._level[expert].clamp_min(_LEAST_LEVEL)

    def state(self) -> dict[str, Any]:
        """Return the running means."""
        return dict(self._level)

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state` returned."""
        self._level = dict(state)


def _by_pair(compared: Compared, short_share: float) -> Tensor:
    return nested(compared.places, short_share)
