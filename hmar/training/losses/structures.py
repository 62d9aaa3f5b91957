"""The loss on labelled structures: windows of one structure have similar codes, in all patients."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch
from hmar.training.data.structures import NO_STRUCTURE
from hmar.training.losses.context import Context, Seen
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.class_contrast import class_contrast
from hmar.training.losses.functional.nested import code_lengths, nested
from hmar.training.losses.loss import Loss

_NOTHING_WEIGHT = 0.3
"""Weight of windows whose centre shows no structure: one code cannot fit all that they show."""


class StructureLoss(Loss):
    """Class centres and contrast over the structures that volumes label; 0 where none does.

    Every structure has a target code, and so has the absence of any. Both halves of a code lie far from those
    of all other structures, so that the first 64 bits are as good a target as all 128.

    Parameters
    ----------
    structures : ndarray of int64, shape (S,)
        Their numbers, ascending.
    codes : Tensor, shape (S + 1, bits)
        -1 or 1; the last stands for no structure.
    config : TrainingConfig
    """

    name: ClassVar[str] = "structures"
    codes: Tensor
    classes: Tensor

    def __init__(self, structures: NDArray[np.int64], codes: Tensor, config: TrainingConfig) -> None:
        super().__init__()
        self._config, self._lengths = config, code_lengths(config.short_share)
        self._count = len(structures)
        classes = np.full(int(structures.max(initial=-1)) + 2, self._count)  # the last: no structure
        classes[structures] = np.arange(self._count)
        self.register_buffer("classes", torch.from_numpy(classes))
        self.register_buffer("codes", codes)

    @classmethod
    def of(cls, context: Context) -> Self:
        """Build the loss."""
        return cls(context.structures, context.structure_codes, context.config)

    def weight(self, *, regions: bool) -> float:
        """Return the larger of its two weights, where windows are compared."""
        config = self._config
        return max(config.structure_weight, config.structure_contrast) if regions else 0.0

    def forward(self, seen: Seen) -> Tensor:
        """Return the loss of a batch's windows."""
        return self.of_windows(seen.windows_compared.logits, seen.batch)

    def of_windows(self, logits: Tensor, batch: PairBatch) -> Tensor:
        """Return the loss of windows: logits (2 N, bits), all first views, then all second."""
        named = np.concatenate([batch.first_label, batch.second_label])
        known = np.flatnonzero(named >= NO_STRUCTURE)
        if self._count == 0 or not len(known):
            return logits.new_zeros(())
        view = np.arange(len(batch.first)).repeat(len(batch.first_label) // len(batch.first))
        # Chosen by indices that the processor knows: a mask on a GPU would have to be waited for.
        rows, label, slices = (
            torch.from_numpy(chosen).to(logits.device, non_blocking=True)
            for chosen in (known, named[known], np.tile(view, 2)[known])
        )
        logits, label = logits[rows], self.classes[label]  # -1 reads the last
        shown = label < self._count
        same = label[:, None] == label[None, :]
        # Two views of one slice show the same place, which is what the loss on places is for.
        positive = same & (slices[:, None] != slices[None, :]) & shown[:, None] & shown[None, :]
        weight = torch.where(shown, 1.0, _NOTHING_WEIGHT)
        target = nn.functional.one_hot(label, self._count + 1).float()
        losses = []
        for bits in self._lengths:
            directions = nn.functional.normalize(self.codes[:, :bits], dim=1)
            centre = centre_loss(
                logits[:, :bits], target, directions, self._config.scale, self._config.margin
            )
            contrast = class_contrast(logits[:, :bits], positive, ~same, self._config.temperature)
            losses.append(
                self._config.structure_weight * (weight * centre).mean()
                + self._config.structure_contrast * contrast
            )
        return nested(losses, self._config.short_share)
