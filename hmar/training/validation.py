"""Validation: slices that nothing is learned from, asked whether places or structures are found again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.losses import NESTED_BITS
from hmar.training.pairs import PairBatch, PairConfig, PairSampler, may_push_apart
from hmar.training.pooling import pool_windows
from hmar.training.structures import NO_STRUCTURE
from hmar.training.views import ViewSet
from hmar.training.volumes import Volume

BATCHES = 8
_SHARE = 0.12
_LEAST_SLICES = 16
"""Volumes of fewer slices have none to spare."""
_LEARNT = 3
"""Batches of slices that are learnt from, for each of held-out ones."""


def held_out(views: ViewSet) -> NDArray[np.bool_]:
    """Return which views are held out: a run of slices in the middle of every volume that can spare it."""
    held = np.zeros(len(views.volume), np.bool_)
    for volume in np.unique(views.volume):
        mine = views.volume == volume
        slices = int(views.plane[mine].max()) + 1
        if slices >= _LEAST_SLICES:
            first, last = slices * (0.5 - _SHARE / 2), slices * (0.5 + _SHARE / 2)
            held |= mine & (views.plane >= first) & (views.plane < last)
    return held


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Fixed batches of pairs on held-out slices; none where nothing is held out.

    Parameters
    ----------
    views : ViewSet
    batches : tuple of PairBatch
        Of held-out slices.
    learnt : tuple of PairBatch
        Of the others, among which structures are looked for; empty where places are asked for.
    """

    views: ViewSet
    batches: tuple[PairBatch, ...]
    learnt: tuple[PairBatch, ...] = ()

    @classmethod
    def of(
        cls,
        views: ViewSet,
        volumes: list[Volume],
        pairs: PairConfig,
        held: NDArray[np.bool_],
        seed: int,
        *,
        structures: bool,
    ) -> Validation:
        """Draw the batches, always the same; with ``structures``, those that structures are asked for in."""
        if not held.any():
            return cls(views, ())
        sampler = PairSampler(views, volumes, pairs, np.random.default_rng(seed), held)
        batches = tuple(sampler.draw() for _ in range(BATCHES))
        if not structures:
            return cls(views, batches)
        others = PairSampler(views, volumes, pairs, np.random.default_rng(seed), ~held)
        learnt = tuple(others.draw() for _ in range(_LEARNT * BATCHES))
        there = _structures(batches) & _structures(learnt)
        return cls(views, batches, learnt if there else ())

    @torch.no_grad()
    def measure(self, network: HmarNetwork, device: torch.device) -> float | None:
        """Return how often a window's nearest code is of what is asked for; None where nothing is held out.

        A place is asked for among the other views of its batch, and a window of its structure is as good.
        Structures are asked for among windows of the slices that are learnt from: what two views of one slice
        have in common does not count then. The mean over 64 and 128 bits; ties count by halves, thirds and
        so on.
        """
        if not self.batches:
            return None
        network.eval()
        if self.learnt:
            return self._structures_found(network, device)
        return float(np.mean([self._places_found(network, batch, device) for batch in self.batches]))

    def _places_found(self, network: HmarNetwork, batch: PairBatch, device: torch.device) -> float:
        first, second = self._logits(network, batch, device)
        half = batch.side_mm / 2
        alike = batch.alike()
        others = (may_push_apart(batch.place, np.minimum.outer(half, half)) & ~alike).to(device)
        own = (alike | torch.eye(len(alike), dtype=torch.bool)).to(device)
        shares = []
        for bits in NESTED_BITS:
            agreement = _agreement(first, second, bits)
            shares += [_first_place(agreement, own, others), _first_place(agreement.T, own.T, others.T)]
        return float(np.mean(shares))

    def _structures_found(self, network: HmarNetwork, device: torch.device) -> float:
        asked, structure = self._windows(network, self.batches, device)
        among, shown = self._windows(network, self.learnt, device)
        own = structure[:, None] == shown
        some = (structure >= 0) & own.any(dim=1)
        own = own[some]
        return float(
            np.mean([_first_place(_agreement(asked[some], among, bits), own, ~own) for bits in NESTED_BITS])
        )

    def _windows(
        self, network: HmarNetwork, batches: tuple[PairBatch, ...], device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Return the logits (N, bits) of all windows of volumes with labels, and the structure each shows."""
        logits = torch.cat([torch.cat(self._logits(network, batch, device)) for batch in batches])
        labels = [np.concatenate([batch.first_label, batch.second_label]) for batch in batches]
        shown = torch.from_numpy(np.concatenate(labels)).to(device)
        return logits[shown >= NO_STRUCTURE], shown[shown >= NO_STRUCTURE]

    def _logits(self, network: HmarNetwork, batch: PairBatch, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the logits of a batch's windows, in the first views and in the second."""
        first, second = (
            _window_logits(network, self.views.maps[views].to(device).float(), weights.to(device))
            for views, weights in (
                (batch.first, batch.first_weights),
                (batch.second, batch.second_weights),
            )
        )
        return first, second


def _structures(batches: tuple[PairBatch, ...]) -> set[int]:
    """Return the structures that windows of batches show."""
    labels = np.concatenate([batch.first_label for batch in batches])
    return set(labels[labels >= 0].tolist())


def _agreement(first: Tensor, second: Tensor, bits: int) -> Tensor:
    """Return how many bits agree less how many differ, (N, M), for logits of N and M windows."""
    a, b = (torch.where(logits[:, :bits] > 0, 1.0, -1.0) for logits in (first, second))
    return a @ b.T


def _first_place(agreement: Tensor, own: Tensor, others: Tensor) -> float:
    """Return the share of rows in which one of their own is nearer than all others."""
    nearest = agreement.masked_fill(~own, float("-inf")).amax(dim=1, keepdim=True)
    better = ((agreement > nearest) & others).any(dim=1)
    tied = ((agreement == nearest) & others).sum(dim=1)
    return float(torch.where(better, 0.0, 1 / (1 + tied)).mean())


def _window_logits(network: HmarNetwork, maps: Tensor, weights: Tensor) -> Tensor:
    pooled_from = network.local_expert.map(network.trunk.tail(maps))
    logits: Tensor = network.local_expert(pool_windows(pooled_from, weights))
    return logits
