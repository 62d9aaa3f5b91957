"""Validation by labels: images of patients that nothing is learned from, asked for their label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.data.image_labels import ImageLabels, LabelledViews
from hmar.training.validation.places import BackboneMaps, agreement, first_place

_QUERIES = 96
"""Views that are asked about at least: a share of them is then known to about five percentage points."""

_OF_A_LABEL = 4
"""Views of each label that are asked about, where that is more."""

_GALLERY = 3
"""Views that are learnt from, for each that is asked about: labels should be found among many."""

_AT_ONCE = 32
"""Views whose codes are computed at a time; bounds memory, changes no figure."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelValidation:
    """Fixed views: held-out ones, and those that are learnt from.

    Parameters
    ----------
    asked, among : ndarray of int64
        Views; every label that is asked for is among the others.
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
        cls,
        labels: ImageLabels,
        asked: NDArray[np.bool_],
        learnt: NDArray[np.bool_],
        lengths: tuple[int, ...],
        seed: int,
    ) -> LabelValidation | None:
        """Draw views of two masks, always the same; None where no label of one is in the other."""
        rng = np.random.default_rng(seed)
        count = max(_QUERIES, _OF_A_LABEL * labels.count)
        drawn = LabelledViews(labels, asked).draw(count, rng)
        among = LabelledViews(labels, learnt).draw(_GALLERY * count, rng)
        drawn = drawn[np.isin(labels.label[drawn], labels.label[among])]
        return cls(drawn, among, labels, lengths) if len(drawn) else None

    @torch.no_grad()
    def measure(self, network: HmarNetwork, backbone_maps: BackboneMaps) -> float:
        """Return how often the image whose code is nearest has the label, labels counting about the same.

        The mean over code lengths of Expert0's codes; of those that tie, as many as are right count.

        Parameters
        ----------
        network : HmarNetwork
        backbone_maps : callable
            From indices of views, (M,), to its backbone's maps of them, (M, C, 32, 32).
        """
        network.eval()
        asked, among = (_logits(network, views, backbone_maps) for views in (self.asked, self.among))
        own = torch.from_numpy(self.labels.label[self.asked][:, None] == self.labels.label[self.among])
        own = own.to(asked.device)
        found = [first_place(agreement(asked, among, bits), own, ~own) for bits in self.lengths]
        return float(torch.cat(found).mean())


def _logits(network: HmarNetwork, views: NDArray[np.int64], backbone_maps: BackboneMaps) -> Tensor:
    each, places = np.unique(views, return_inverse=True)
    parts = np.split(each, range(_AT_ONCE, len(each), _AT_ONCE))
    return torch.cat([network.global_expert(backbone_maps(part)) for part in parts])[places]
