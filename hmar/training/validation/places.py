"""Validation: slices that nothing is learned from, asked whether places or structures are found again."""

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
"""Batches of pairs that are asked about: some thousand windows, in a second or two."""

_SHARE = 0.12
"""Share of a volume's slices that is held out, an eighth: 10 to 20 % are a convention of the field."""

_LEAST_SLICES = 16
"""Volumes of fewer slices have none to spare: two would be held out, next to ones that are learnt from."""

_LEARNT = 3
"""Batches of slices that are learnt from, for each of held-out ones: structures are searched among many."""


def held_out(views: ViewSet) -> NDArray[np.bool_]:
    """Return which views are held out: a run of slices in the middle of every volume that can spare it."""
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
        Of held-out slices.
    learnt : tuple of PairBatch
        Of the others, among which structures are looked for; empty where places are asked for.
    lengths : tuple of int
        Of the codes that are compared.
    """

    batches: tuple[PairBatch, ...]
    learnt: tuple[PairBatch, ...] = ()
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
        """Draw the batches, always the same; where structures are learnt, also those to find them in."""
        if not (held & views.show_enough()).any():
            return cls(())
        batches = _drawn(views, volumes, pairs, held, config, BATCHES)
        lengths = code_lengths(config.short_share)
        asked = _structures(batches) if config.structure_weight > 0 else set()
        if not asked:
            return cls(batches, (), lengths)
        learnt = _drawn(views, volumes, pairs, ~held, config, _LEARNT * BATCHES)
        return cls(batches, learnt if asked & _structures(learnt) else (), lengths)

    @torch.no_grad()
    def measure(self, network: HmarNetwork, backbone_maps: BackboneMaps) -> float | None:
        """Return how often a window's nearest code is of what is asked for; None where nothing is held out.

        A place is asked for among the other views of its batch, and a window of its structure is as good.
        Structures are asked for among windows of the slices that are learnt from: what two views of one slice
        have in common does not count then. The mean over code lengths; of those that tie, as many as are
        right count.

        Parameters
        ----------
        network : HmarNetwork
        backbone_maps : callable
            From indices of views, (M,), to its backbone's maps of them, (M, C, 32, 32).
        """
        if not self.batches:
            return None
        network.eval()
        if self.learnt:
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
        parts = [_shown_windows(network, batch, backbone_maps) for batch in self.learnt]
        among, shown = (torch.cat(column) for column in zip(*parts, strict=True))
        found = []
        for batch in self.batches:
            asked, structure = _shown_windows(network, batch, backbone_maps)
            own = structure[:, None] == shown
            some = (structure >= 0) & own.any(dim=1)
            asked, own = asked[some], own[some]
            for bits in self.lengths:
                found.append(first_place(agreement(asked, among, bits), own, ~own))
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
    """Return by row what share of those that are nearest, of its own and of others, are its own."""
    nearest = agreement.masked_fill(~(own | others), float("-inf")).amax(dim=1, keepdim=True)
    tied = agreement == nearest
    mine = (tied & own).sum(dim=1)
    return mine / (mine + (tied & others).sum(dim=1))


def _shown_windows(
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
