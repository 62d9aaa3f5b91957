"""Validation on held-out slices: whether the same place, or the same structure, is found again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch, PairConfig, PairSampler, may_push_apart
from hmar.training.data.pooling import pool_windows
from hmar.training.data.structures import NO_STRUCTURE
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume
from hmar.training.losses.functional.nested import NESTED_BITS, code_lengths

BackboneMaps = Callable[[NDArray[np.int64]], Tensor]

BATCHES = 8
"""Batches of query windows."""

_SHARE = 0.12
"""Share of a volume's slices that is held out, an eighth: 10 to 20 % are a convention of the field."""

_LEAST_SLICES = 16
"""Nothing is held out of volumes of fewer slices: every held-out slice would lie beside one trained on."""

_GALLERY = 3
"""Batches of the gallery that structures are searched in, for each batch of queries."""


def held_out(views: ViewSet) -> NDArray[np.bool_]:
    """Return which views are held out: consecutive slices in the middle of every long enough volume."""
    last_plane = np.zeros(int(views.volume.max(initial=0)) + 1, np.int64)
    np.maximum.at(last_plane, views.volume, views.plane)
    slices = last_plane[views.volume] + 1
    first, last = slices * (0.5 - _SHARE / 2), slices * (0.5 + _SHARE / 2)
    held: NDArray[np.bool_] = (slices >= _LEAST_SLICES) & (views.plane >= first) & (views.plane < last)
    return held


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Fixed batches of pairs on held-out slices; none where nothing is held out.

    Parameters
    ----------
    batches : tuple of PairBatch
        Queries, on held-out slices.
    gallery : tuple of PairBatch
        Windows of the other slices, which structures are searched in; empty where places are searched.
    lengths : tuple of int
        Lengths of code that are compared.
    """

    batches: tuple[PairBatch, ...]
    gallery: tuple[PairBatch, ...] = ()
    lengths: tuple[int, ...] = NESTED_BITS

    @classmethod
    def of(
        cls,
        views: ViewSet,
        volumes: list[Volume],
        pairs: PairConfig,
        held: NDArray[np.bool_],
        config: TrainingConfig,
    ) -> Validation:
        """Draw the batches, the same for a seed; a gallery too where structures are trained on."""
        if not (held & views.show_enough()).any():
            return cls(())
        batches = _drawn(views, volumes, pairs, held, config, BATCHES)
        lengths = code_lengths(config.short_share)
        searched = _structures(batches) if config.structure_weight > 0 else set()
        if not searched:
            return cls(batches, (), lengths)
        gallery = _drawn(views, volumes, pairs, ~held, config, _GALLERY * BATCHES)
        return cls(batches, gallery if searched & _structures(gallery) else (), lengths)

    @torch.no_grad()
    def measure(self, network: HmarNetwork, backbone_maps: BackboneMaps) -> float | None:
        """Return the share of windows whose nearest code is a match; None where nothing is held out.

        Where places are searched, a window's match is its pair in the other views of the batch, or a window
        of the same structure. Where structures are searched, matches are windows of the same structure on
        slices that are trained on, so that two views of one slice do not match by what they share. The mean
        over code lengths; where several codes are equally near, the share of them that matches counts.

        Parameters
        ----------
        network : HmarNetwork
        backbone_maps : callable
            Indices of views (M,) to the backbone's feature maps (M, C, 32, 32).
        """
        if not self.batches:
            return None
        network.eval()
        if self.gallery:
            return self._structures_found(network, backbone_maps)
        return float(np.mean([self._places_found(network, batch, backbone_maps) for batch in self.batches]))

    def _places_found(self, network: HmarNetwork, batch: PairBatch, backbone_maps: BackboneMaps) -> float:
        first, second = _logits(network, batch, backbone_maps)
        half = batch.side_mm / 2
        alike = batch.alike()
        others = (may_push_apart(batch.place, np.minimum.outer(half, half)) & ~alike).to(first.device)
        own = (alike | torch.eye(len(alike), dtype=torch.bool)).to(first.device)
        shares = []
        for bits in self.lengths:
            alike_bits = agreement(first, second, bits)
            shares.append(first_place(alike_bits, own, others).mean())
            shares.append(first_place(alike_bits.T, own.T, others.T).mean())
        return float(torch.stack(shares).mean())

    def _structures_found(self, network: HmarNetwork, backbone_maps: BackboneMaps) -> float:
        parts = [_labelled_windows(network, batch, backbone_maps) for batch in self.gallery]
        gallery, shown = (torch.cat(column) for column in zip(*parts, strict=True))
        found = []
        for batch in self.batches:
            queries, structure = _labelled_windows(network, batch, backbone_maps)
            own = structure[:, None] == shown
            some = (structure >= 0) & own.any(dim=1)
            queries, own = queries[some], own[some]
            for bits in self.lengths:
                found.append(first_place(agreement(queries, gallery, bits), own, ~own))
        return float(torch.cat(found).mean())


def _drawn(
    views: ViewSet,
    volumes: list[Volume],
    pairs: PairConfig,
    shown: NDArray[np.bool_],
    config: TrainingConfig,
    count: int,
) -> tuple[PairBatch, ...]:
    """Draw batches of the views of a mask."""
    sampler = PairSampler(views, volumes, pairs, np.random.default_rng(config.seed), shown)
    return tuple(sampler.draw() for _ in range(count))


def _structures(batches: tuple[PairBatch, ...]) -> set[int]:
    """Return the structures that windows of batches show."""
    labels = np.concatenate([batch.first_label for batch in batches])
    return set(labels[labels >= 0].tolist())


def agreement(first: Tensor, second: Tensor, bits: int) -> Tensor:
    """Return how many bits agree less how many differ, (N, M), for logits of N and M windows."""
    a, b = (torch.where(logits[:, :bits] > 0, 1.0, -1.0) for logits in (first, second))
    return a @ b.T


def first_place(agreement: Tensor, own: Tensor, others: Tensor) -> Tensor:
    """Return, by row, the share of matches (``own``) among the nearest of matches and others."""
    nearest = agreement.masked_fill(~(own | others), float("-inf")).amax(dim=1, keepdim=True)
    tied = agreement == nearest
    mine = (tied & own).sum(dim=1)
    return mine / (mine + (tied & others).sum(dim=1))


def _labelled_windows(
    network: HmarNetwork, batch: PairBatch, backbone_maps: BackboneMaps
) -> tuple[Tensor, Tensor]:
    """Return logits (N, bits) and structures of a batch's windows, where volumes have labels."""
    logits = torch.cat(_logits(network, batch, backbone_maps))
    shown = torch.from_numpy(np.concatenate([batch.first_label, batch.second_label])).to(logits.device)
    return logits[shown >= NO_STRUCTURE], shown[shown >= NO_STRUCTURE]


def _logits(network: HmarNetwork, batch: PairBatch, backbone_maps: BackboneMaps) -> tuple[Tensor, Tensor]:
    """Return the logits of a batch's windows, in the first views and in the second."""

    def of(views: NDArray[np.int64], weights: Tensor) -> Tensor:
        pooled_from = network.local_expert.map(backbone_maps(views))
        logits: Tensor = network.local_expert(pool_windows(pooled_from, weights.to(pooled_from.device)))
        return logits

    return of(batch.first, batch.first_weights), of(batch.second, batch.second_weights)
