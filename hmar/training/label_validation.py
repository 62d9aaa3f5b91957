"""Validation by labels: images of patients that nothing is learned from, asked for their label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.image_labels import NO_LABEL, ImageLabels, LabelledViews
from hmar.training.validation import TrunkMaps, agreement, first_place

_ASKED, _AMONG = 96, 288
_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class LabelValidation:
    """Fixed views: held-out ones, and those that are learnt from.

    Parameters
    ----------
    asked, among : ndarray of int64
        Views.
    labels : ImageLabels
    lengths : tuple of int
        Of the codes that are compared.
    """

    asked: NDArray[np.int64]
    among: NDArray[np.int64]
    labels: ImageLabels
    lengths: tuple[int, ...]

    @classmethod
    def of(
        cls, labels: ImageLabels, held: NDArray[np.bool_], lengths: tuple[int, ...], seed: int
    ) -> LabelValidation | None:
        """Draw the views, always the same; None where no labelled view is held out, or none is learnt."""
        rng = np.random.default_rng(seed)
        labelled = labels.label != NO_LABEL
        if not (labelled & held).any() or not (labelled & ~held).any():
            return None
        asked = LabelledViews(labels, held).draw(_ASKED, rng)
        return cls(asked, LabelledViews(labels, ~held).draw(_AMONG, rng), labels, lengths)

    @torch.no_grad()
    def measure(self, network: HmarNetwork, trunk_maps: TrunkMaps) -> float:
        """Return how often the image whose code is nearest has the label, labels counting the same.

        The mean over code lengths of Expert0's codes; of those that tie, as many as are right count.

        Parameters
        ----------
        network : HmarNetwork
        trunk_maps : callable
            From indices of views, (M,), to its trunk's maps of them, (M, C, 32, 32).
        """
        network.eval()
        asked, among = (_logits(network, views, trunk_maps) for views in (self.asked, self.among))
        own = torch.from_numpy(self.labels.label[self.asked][:, None] == self.labels.label[self.among])
        own = own.to(asked.device)
        some = own.any(dim=1)
        found = [
            first_place(agreement(asked, among, bits)[some], own[some], ~own[some]) for bits in self.lengths
        ]
        return float(torch.cat(found).mean())


def _logits(network: HmarNetwork, views: NDArray[np.int64], trunk_maps: TrunkMaps) -> Tensor:
    parts = np.split(views, range(_AT_ONCE, len(views), _AT_ONCE))
    return torch.cat([network.global_expert(trunk_maps(part)) for part in parts])
