"""The quality of bits, of the codes of images and of windows."""

from __future__ import annotations

from typing import ClassVar, Self

from torch import Tensor

from hmar.training.config import TrainingConfig
from hmar.training.losses.context import Compared, Context, Seen
from hmar.training.losses.functional.nested import nested
from hmar.training.losses.loss import Loss


class CodeQuality(Loss):
    """Bits that are balanced, uncorrelated and decided, see :func:`bit_quality`."""

    name: ClassVar[str] = "codes"

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self._weight, self._short_share = config.bit_weight, config.short_share

    @classmethod
    def of(cls, context: Context) -> Self:
        """Build the loss."""
        return cls(context.config)

    def weight(self, *, regions: bool) -> float:  # noqa: ARG002 - the same in every stage
        """Return the weight of bit quality."""
        return self._weight

    def forward(self, seen: Seen) -> Tensor:
        """Return the quality of images' codes, and of windows' where they are compared."""
        images = self._of(seen.image)
        return images + self._of(seen.windows_compared) if seen.regions else images

    def _of(self, compared: Compared) -> Tensor:
        return nested([self._weight * quality for quality in compared.quality], self._short_share)
