"""The backbone's feature maps of views: computed by its tail, or looked up once it no longer changes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.backbones.base import Backbone
from hmar.training.data.views import ViewSet
from hmar.training.device import mixed_precision

_AT_ONCE = 16
"""Views that the tail is run over at a time when maps are cached; bounds memory, changes no figure."""


class FeatureMaps:
    """Feature maps of cached views.

    Parameters
    ----------
    views : ViewSet
        With the outputs of the backbone's stem.
    device : torch.device
        Where the tail is run.
    """

    def __init__(self, views: ViewSet, device: torch.device) -> None:
        self._views, self._device = views, device
        self._cached: Tensor | None = None

    def __call__(self, views: NDArray[np.int64], backbone: Backbone) -> Tensor:
        """Return the feature maps (M, C, 32, 32) of views (M,)."""
        if self._cached is not None:
            return self._cached[views].to(self._device, non_blocking=True).float()
        return self._tail(self._views.maps[views], backbone)

    def of_content(self, views: NDArray[np.int64], backbone: Backbone) -> Tensor:
        """Return the features (n, C) of the cells of views that show more than air."""
        return self(views, backbone).permute(0, 2, 3, 1)[self._views.content[views]].cpu()

    @torch.no_grad()
    def cache(self, backbone: Backbone) -> None:
        """Compute all maps, which are looked up from now on. A backbone without a tail needs no cache."""
        if not backbone.tail_modules():
            return
        stem_maps, cells = self._views.maps, self._views.content.shape[1:]
        # Allocated once: maps of many views take gigabytes, and two copies may not fit.
        cached = torch.empty(len(stem_maps), backbone.channels, *cells, dtype=torch.float16)
        for first in range(0, len(stem_maps), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            cached[some] = self._tail(stem_maps[some], backbone)
        self._cached = cached

    def _tail(self, stem_maps: Tensor, backbone: Backbone) -> Tensor:
        placed = stem_maps.to(self._device, non_blocking=True)
        with mixed_precision(self._device):
            return backbone.tail(placed.to(torch.float32, memory_format=torch.channels_last)).float()
