"""What labelled structures teach: windows of one structure belong together, whoever it is of."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch
from hmar.training.data.structures import NO_STRUCTURE
from hmar.training.data.volumes import Volume
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.terms import centre_loss, class_contrast, code_lengths, nested

_NOTHING_WEIGHT = 0.3
"""Weight of windows whose centre shows no structure: there are many kinds of them."""


class StructureLoss(nn.Module):
    """Class centres and contrast over the structures that volumes label; 0 where none does.

    Every structure has a code of its own, and so has what is no structure. Both halves of a code lie far from
    those of all other structures, so that the first 64 bits are as good a target as all 128.

    Parameters
    ----------
    volumes : list of Volume
    config : TrainingConfig
    rng : numpy.random.Generator
        Draws the codes.
    """

    directions: Tensor
    classes: Tensor

    def __init__(self, volumes: list[Volume], config: TrainingConfig, rng: np.random.Generator) -> None:
        super().__init__()
        self._config, self._lengths = config, code_lengths(config.short_share)
        found = [np.unique(volume.labels) for volume in volumes if volume.labels is not None]
        structures = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
        structures = structures[structures >= 0]
        self._count = len(structures)
        classes = np.full(int(structures.max(initial=-1)) + 2, self._count)  # the last: no structure
        classes[structures] = np.arange(self._count)
        self.register_buffer("classes", torch.from_numpy(classes))
        self.register_buffer("directions", nested_codes(self._count + 1, self._lengths, rng))

    def forward(self, logits: Tensor, batch: PairBatch) -> Tensor:
        """Return the loss of a batch's windows: logits (2 N, bits), all first views, then all second."""
        label = torch.from_numpy(np.concatenate([batch.first_label, batch.second_label])).to(logits.device)
        known = label >= NO_STRUCTURE
        if self._count == 0 or not bool(known.any()):
            return logits.new_zeros(())
        view = np.arange(len(batch.first)).repeat(len(batch.first_label) // len(batch.first))
        slices = torch.from_numpy(np.tile(view, 2)).to(logits.device)[known]
        logits, label = logits[known], self.classes[label[known]]  # -1 reads the last
        shown = label < self._count
        same = label[:, None] == label[None, :]
        # Pairs of views show one place: what they have in common is the other loss's to teach.
        positive = same & (slices[:, None] != slices[None, :]) & shown[:, None] & shown[None, :]
        weight = torch.where(shown, 1.0, _NOTHING_WEIGHT)
        target = nn.functional.one_hot(label, self._count + 1).float()
        losses = []
        for bits in self._lengths:
            directions = nn.functional.normalize(self.directions[:, :bits], dim=1)
            centre = centre_loss(
                logits[:, :bits], target, directions, self._config.scale, self._config.margin
            )
            contrast = class_contrast(logits[:, :bits], positive, ~same, self._config.temperature)
            losses.append(
                self._config.structure_weight * (weight * centre).mean()
                + self._config.structure_contrast * contrast
            )
        return nested(losses, self._config.short_share)
