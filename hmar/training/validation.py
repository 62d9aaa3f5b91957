"""Validation: slices that nothing is learned from, asked whether a place is found again among others."""

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
from hmar.training.views import ViewSet
from hmar.training.volumes import Volume

BATCHES = 8
_SHARE = 0.12
_LEAST_SLICES = 16
"""Volumes of fewer slices have none to spare."""


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
    """Fixed batches of pairs on held-out slices; none where nothing is held out."""

    views: ViewSet
    batches: tuple[PairBatch, ...]

    @classmethod
    def of(
        cls, views: ViewSet, volumes: list[Volume], pairs: PairConfig, held: NDArray[np.bool_], seed: int
    ) -> Validation:
        """Draw the batches, always the same."""
        if not held.any():
            return cls(views, ())
        sampler = PairSampler(views, volumes, pairs, np.random.default_rng(seed), held)
        return cls(views, tuple(sampler.draw() for _ in range(BATCHES)))

    @torch.no_grad()
    def measure(self, network: HmarNetwork, device: torch.device) -> float | None:
        """Return how often a window's nearest code in the other views is of its own place or structure.

        The mean over 64 and 128 bits, over both directions; ties count by halves, thirds and so on. None
        where nothing is held out.
        """
        if not self.batches:
            return None
        network.eval()
        return float(np.mean([self._found(network, batch, device) for batch in self.batches]))

    def _found(self, network: HmarNetwork, batch: PairBatch, device: torch.device) -> float:
        first, second = (
            _logits(network, self.views.maps[views].to(device).float(), weights.to(device))
            for views, weights in (
                (batch.first, batch.first_weights),
                (batch.second, batch.second_weights),
            )
        )
        half = batch.side_mm / 2
        alike = batch.alike()
        others = (may_push_apart(batch.place, np.minimum.outer(half, half)) & ~alike).to(device)
        own = (alike | torch.eye(len(alike), dtype=torch.bool)).to(device)
        shares = []
        for bits in NESTED_BITS:
            a, b = (torch.where(logits[:, :bits] > 0, 1.0, -1.0) for logits in (first, second))
            agreement = a @ b.T
            shares += [_first_place(agreement, own, others), _first_place(agreement.T, own.T, others.T)]
        return float(np.mean(shares))


def _first_place(agreement: Tensor, own: Tensor, others: Tensor) -> float:
    """Return the share of rows in which one of their own is nearer than all others."""
    nearest = agreement.masked_fill(~own, float("-inf")).amax(dim=1, keepdim=True)
    better = ((agreement > nearest) & others).any(dim=1)
    tied = ((agreement == nearest) & others).sum(dim=1)
    return float(torch.where(better, 0.0, 1 / (1 + tied)).mean())


def _logits(network: HmarNetwork, maps: Tensor, weights: Tensor) -> Tensor:
    pooled_from = network.local_expert.map(network.trunk.tail(maps))
    logits: Tensor = network.local_expert(pool_windows(pooled_from, weights))
    return logits
