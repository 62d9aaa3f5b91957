"""Where the batches of steps come from, and the feature maps of their views."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.backbones.base import Backbone
from hmar.training.config import TrainingConfig
from hmar.training.data.fresh import FreshBatches, stream
from hmar.training.data.pairs import PairBatch, PairSampler
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.device import mixed_precision
from hmar.training.feature_maps import FeatureMaps
from hmar.training.stages import Stage


class Source(ABC):
    """Gives batches, and the feature maps of their views."""

    @abstractmethod
    def batches(self, stage: Stage, numbers: range) -> Generator[PairBatch]:
        """Give the batches of the steps of a stage."""

    @abstractmethod
    def maps(self, batch: PairBatch, backbone: Backbone) -> Tensor:
        """Return the feature maps (2 M, C, 32, 32) of a batch: of all first views, then of all second."""


class CachedSource(Source):
    """Views that were made and encoded once.

    Parameters
    ----------
    sampler : PairSampler
    maps : FeatureMaps
    config : TrainingConfig
    """

    def __init__(self, sampler: PairSampler, maps: FeatureMaps, config: TrainingConfig) -> None:
        self._sampler, self._maps, self._config = sampler, maps, config

    def batches(self, stage: Stage, numbers: range) -> Generator[PairBatch]:
        """Draw the batches one after the other."""
        for _ in numbers:
            yield self._sampler.draw(stage.pairs(self._config))

    def maps(self, batch: PairBatch, backbone: Backbone) -> Tensor:
        """Look the views up."""
        return self._maps(np.concatenate([batch.first, batch.second]), backbone)


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """What makes new views for every step.

    Parameters
    ----------
    slices : ViewSet
        What they are made of: one view of each slice, without maps.
    rows : ndarray of int64
        The slice that each view shows that is made once, for the heads' start and for validation.
    stem : Backbone
        Encodes pixels; on the device, batch norms folded.
    pitch_mm : float
        Size of a pixel of a view.
    workers : int
        Processes that render.
    """

    slices: ViewSet
    rows: NDArray[np.int64]
    stem: Backbone
    pitch_mm: float
    workers: int


class FreshSource(Source):
    """Views that are rendered anew for every step.

    Parameters
    ----------
    sampler : PairSampler
        Draws slices.
    fresh : Fresh
    volumes : list of Volume
    config : TrainingConfig
    device : torch.device
    """

    def __init__(
        self,
        sampler: PairSampler,
        fresh: Fresh,
        volumes: list[Volume],
        config: TrainingConfig,
        device: torch.device,
    ) -> None:
        self._sampler, self._fresh, self._volumes = sampler, fresh, volumes
        self._config, self._device = config, device

    def batches(self, stage: Stage, numbers: range) -> Generator[PairBatch]:
        """Give the batches that the seed, the stage and the numbers of the steps determine."""
        made = FreshBatches(
            self._sampler,
            self._fresh.slices,
            self._volumes,
            self._fresh.pitch_mm,
            (self._config.seed, int(stage)),
            stage.pairs(self._config),
            regions=stage.regions,
        )
        return stream(made, numbers, self._fresh.workers, self._device)

    def maps(self, batch: PairBatch, backbone: Backbone) -> Tensor:
        """Encode the batch's pixels."""
        if batch.pixels is None:
            raise TypeError("the batch has no pixels")
        stem = self._fresh.stem
        images = batch.pixels.to(self._device, non_blocking=True)
        images = images.to(torch.float32, memory_format=torch.channels_last) / 255
        with mixed_precision(self._device):
            with torch.no_grad():
                stem_maps = stem.stem(stem.normalise(images))
            return backbone.tail(stem_maps).float()
