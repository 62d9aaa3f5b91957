"""Validation by labels: whether images of held-out patients find images of the same label."""

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
"""Least number of queries: the standard error of a share is then at most 5 percentage points."""

_OF_A_LABEL = 4
"""Queries of each label, where that makes more."""

_GALLERY = 3
"""Views in the gallery for each query."""

_AT_ONCE = 32
"""Views whose codes are computed at a time; bounds memory, changes no figure."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelValidation:
    """Fixed queries, of held-out views, and a gallery of views that are trained on.

    Parameters
    ----------
    queries, gallery : ndarray of int64
        Views; the gallery has every label of the queries.
    labels : ImageLabels
    lengths : tuple of int
        Lengths of code that are compared.
    """

    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]
    labels: ImageLabels
    lengths: tuple[int, ...]

    @classmethod
    def of(
        cls,
        labels: ImageLabels,
        held_out: NDArray[np.bool_],
        trained_on: NDArray[np.bool_],
        lengths: tuple[int, ...],
        seed: int,
    ) -> LabelValidation | None:
        """Draw views of two masks, the same for a seed; None where the two have no label in common."""
        rng = np.random.default_rng(seed)
        count = max(_QUERIES, _OF_A_LABEL * labels.count)
        queries = LabelledViews(labels, held_out).draw(count, rng)
        gallery = LabelledViews(labels, trained_on).draw(_GALLERY * count, rng)
        queries = queries[np.isin(labels.label[queries], labels.label[gallery])]
        return cls(queries, gallery, labels, lengths) if len(queries) else None

    @torch.no_grad()
    def measure(self, network: HmarNetwork, backbone_maps: BackboneMaps) -> float:
        """Return the share of queries whose nearest code in the gallery has their label.

        The mean over code lengths, of Expert0's codes. Labels are drawn equally often. Where several codes
        are equally near, the share of them that has the label counts.

        Parameters
        ----------
        network : HmarNetwork
        backbone_maps : callable
            Indices of views (M,) to the backbone's feature maps (M, C, 32, 32).
        """
        network.eval()
        queries, gallery = (_logits(network, views, backbone_maps) for views in (self.queries, self.gallery))
        own = torch.from_numpy(self.labels.label[self.queries][:, None] == self.labels.label[self.gallery])
        own = own.to(queries.device)
        found = [first_place(agreement(queries, gallery, bits), own, ~own) for bits in self.lengths]
        return float(torch.cat(found).mean())


def _logits(network: HmarNetwork, views: NDArray[np.int64], backbone_maps: BackboneMaps) -> Tensor:
    each, places = np.unique(views, return_inverse=True)
    parts = np.split(each, range(_AT_ONCE, len(each), _AT_ONCE))
    return torch.cat([network.global_expert(backbone_maps(part)) for part in parts])[places]
