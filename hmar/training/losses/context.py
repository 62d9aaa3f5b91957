"""What losses are built from, and what the network computes for a batch, once for all losses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hmar.model.network import HmarNetwork
from hmar.model.router import Routing
from hmar.model.tags import modality_index
from hmar.training.config import TrainingConfig
from hmar.training.data.image_labels import NO_LABEL, ImageLabels
from hmar.training.data.pairs import PairBatch, may_push_apart
from hmar.training.data.pooling import pool_windows
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.functional.bit_quality import bit_quality
from hmar.training.losses.functional.contrastive import contrastive
from hmar.training.losses.functional.nested import code_lengths

UNKNOWN = -1
"""Index of a tag that an image does not have."""

_IMAGE_APART_MM = 30.0
"""Slices of one scan are negatives from this distance on: nearer ones show much the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What losses are built from.

    Parameters
    ----------
    network : HmarNetwork
        The one that is trained.
    config : TrainingConfig
    views : ViewSet
    volumes : list of Volume
    labels : ImageLabels
        Of the views.
    structures : ndarray of int64, shape (S,)
        Numbers of the structures that volumes label, ascending.
    structure_codes : Tensor, shape (S + 1, bits)
        A code of -1 and 1 for each structure; the last stands for no structure.
    label_codes : Tensor, shape (L, bits)
        One for each label of whole images.
    device : torch.device
    """

    network: HmarNetwork
    config: TrainingConfig
    views: ViewSet
    volumes: list[Volume]
    labels: ImageLabels
    structures: NDArray[np.int64]
    structure_codes: Tensor
    label_codes: Tensor
    device: torch.device

    @classmethod
    def of(
        cls,
        network: HmarNetwork,
        config: TrainingConfig,
        views: ViewSet,
        volumes: list[Volume],
        labels: ImageLabels,
        rng: np.random.Generator,
        device: torch.device,
    ) -> Context:
        """Look up structures, and draw the codes of structures and labels.

        They are drawn whichever losses count, so that a weight does not change what is drawn later.
        """
        found = [np.unique(volume.labels) for volume in volumes if volume.labels is not None]
        structures = np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)
        structures = structures[structures >= 0]
        lengths = code_lengths(config.short_share)
        structure_codes = nested_codes(len(structures) + 1, lengths, rng)
        label_codes = (
            nested_codes(labels.count, lengths, rng) if labels.count else torch.empty(0, lengths[-1])
        )
        return cls(network, config, views, volumes, labels, structures, structure_codes, label_codes, device)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Codes of N pairs, compared at every length.

    Parameters
    ----------
    logits : Tensor, shape (2 N, bits)
        Of all first views, then of all second.
    places : tuple of Tensor, each of shape (N,)
        Contrastive loss of each pair, by length.
    quality : tuple of Tensor, each a scalar
        Bit quality, by length.
    """

    logits: Tensor
    places: tuple[Tensor, ...]
    quality: tuple[Tensor, ...]

    @classmethod
    def of(cls, logits: Tensor, negative: Tensor, config: TrainingConfig) -> Compared:
        """Compare pairs; ``negative`` (N, N) are the pairs of places that may be pushed apart."""
        places, quality = [], []
        negative = negative.to(logits.device, non_blocking=True)
        for bits in code_lengths(config.short_share):
            first, second = logits[:, :bits].chunk(2)
            places.append(contrastive(first, second, negative, config.temperature))
            quality.append(bit_quality(logits[:, :bits]))
        return cls(logits, tuple(places), tuple(quality))


class Seen:
    """The network's outputs for a batch; windows are encoded when the first loss needs them.

    Parameters
    ----------
    context : Context
    maps : Tensor, shape (2 M, C, h, w)
        The backbone's, of all first views, then of all second.
    batch : PairBatch
    regions : bool
        Whether windows are compared.

    Attributes
    ----------
    modality, region : Tensor of int64, shape (M,)
        Tags of each pair, :data:`UNKNOWN` where missing.
    routing : Routing
        Of each pair's first view.
    image : Compared
        Codes of whole images.
    """

    def __init__(self, context: Context, maps: Tensor, batch: PairBatch, *, regions: bool) -> None:
        self.context, self.maps, self.batch, self.regions = context, maps, batch, regions
        self.modality, self.region = _tags(context, batch.first)
        self.routing = self._route()
        self._together = _together(context, batch)
        logits: Tensor = context.network.global_expert(maps)
        self.image = Compared.of(logits, self._images_apart(), context.config)

    @property
    def gate(self) -> Tensor:
        """Weights of (Expert0, Expert1) for each pair, (M, 2)."""
        return self.routing.gate

    @cached_property
    def windows(self) -> Tensor:
        """Pooled windows of all first views, then of all second, after dropout: (2 M n, width * 9)."""
        local, batch, device = self.context.network.local_expert, self.batch, self.maps.device
        weights = [each.to(device, non_blocking=True) for each in (batch.first_weights, batch.second_weights)]
        windows = pool_windows(local.map(self.maps), torch.cat(weights, dim=1))
        return nn.functional.dropout(windows, self.context.config.feature_drop)

    @cached_property
    def windows_compared(self) -> Compared:
        """Codes of windows."""
        logits: Tensor = self.context.network.local_expert(self.windows)
        return Compared.of(logits, self._windows_apart(), self.context.config)

    def _route(self) -> Routing:
        modality, region = self.modality, self.region
        drop = torch.rand(2, len(modality)) < self.context.config.tag_drop
        hidden = torch.full_like(modality, UNKNOWN)
        tags = (torch.where(drop[0], hidden, modality), torch.where(drop[1], hidden, region))
        # The router adapts to the features, not the features to the router: the backbone learns from the
        # experts' losses alone.
        maps = self.maps[: len(modality)].detach()
        routing: Routing = self.context.network.router(
            maps, *(tag.to(self.context.device, non_blocking=True) for tag in tags)
        )
        return routing

    def _images_apart(self) -> Tensor:
        views, first = self.context.views, self.batch.first
        z = views.z_mm[first]
        place = np.column_stack([views.volume[first], np.zeros_like(z), np.zeros_like(z), z])
        return may_push_apart(place, _IMAGE_APART_MM) & ~self._together

    def _windows_apart(self) -> Tensor:
        # Put together on the device: page-locked memory of the batch is copied without a wait.
        apart, together = (
            each.to(self.maps.device, non_blocking=True)
            for each in (self.batch.windows_apart(), self._together)
        )
        windows = len(apart) // len(together)
        for dim in (0, 1):
            together = together.repeat_interleave(windows, dim)
        return apart & ~together


def _tags(context: Context, views: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return modality and body region of views, (M,) each."""
    volumes = [context.volumes[volume] for volume in context.views.volume[views]]
    found = [modality_index(volume.modality) for volume in volumes]
    planes = context.views.plane[views]
    return (
        torch.tensor([UNKNOWN if index is None else index for index in found]),
        torch.tensor([int(volume.regions[plane]) for volume, plane in zip(volumes, planes, strict=True)]),
    )


def _together(context: Context, batch: PairBatch) -> Tensor:
    """Return (M, M) of bool: which first and second views are not pushed apart, however far they lie.

    They share a label and are of different patients; or they are of one patient's different volumes, which
    may show the same place.
    """
    label, patient, volume = context.labels.label, context.labels.patient, context.views.volume
    first, second = batch.first[:, None], batch.second[None, :]
    same_patient = patient[first] == patient[second]
    same_label = (label[first] == label[second]) & (label[first] != NO_LABEL)
    return torch.from_numpy(np.where(same_patient, volume[first] != volume[second], same_label))
