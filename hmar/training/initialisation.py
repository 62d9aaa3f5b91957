"""A network's heads before the first step: discriminative components and ITQ, on a sample of the views."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hmar.model.network import HmarNetwork
from hmar.training.data.pairs import PairBatch, PairSampler
from hmar.training.data.pooling import pool_windows
from hmar.training.feature_maps import FeatureMaps
from hmar.training.heads.initial import initialise_head, initialise_projection

_VIEWS_OF_A_BATCH = 8
"""Views of each batch whose cells are sampled; bounds time and memory where batches are large."""

_CELLS = 20_000
"""Cells that the components of a projection are computed on: 20 times the channels of the widest backbone, so
that the covariance is well determined, in at most 80 MB."""


@torch.no_grad()
def initialise(
    network: HmarNetwork,
    sampler: PairSampler,
    maps: FeatureMaps,
    batches: int,
    generator: torch.Generator,
    *,
    whole: bool = True,
) -> None:
    """Set projections and heads of the experts, so that their first codes already tell places apart.

    Parameters
    ----------
    network : HmarNetwork
    sampler : PairSampler
        Draws the sample.
    maps : FeatureMaps
    batches : int
        Size of the sample.
    generator : torch.Generator
        Draws cells and rotations.
    whole : bool
        Whether Expert0 is set, too.
    """
    drawn = [sampler.draw() for _ in range(batches)]
    views = np.concatenate([batch.first[:_VIEWS_OF_A_BATCH] for batch in drawn])
    cells = torch.cat([maps.of_content(part, network.backbone) for part in np.array_split(views, batches)])
    sample = cells[torch.randperm(len(cells), generator=generator)[:_CELLS]]
    experts = (network.local_expert, network.global_expert)[: 1 + whole]
    for expert in experts:
        initialise_projection(expert.project, sample)
    windows, frames = zip(*(_seen_twice(network, batch, maps) for batch in drawn), strict=True)
    for expert, pairs in zip(experts, (windows, frames), strict=False):
        first, second = (torch.cat(views) for views in zip(*pairs, strict=True))
        initialise_head(expert.head, first, second, generator)


def _seen_twice(
    network: HmarNetwork, batch: PairBatch, maps: FeatureMaps
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the features of a batch's windows, and those of its frames, each in two views."""
    local, whole = network.local_expert, network.global_expert
    both = [maps(views, network.backbone) for views in (batch.first, batch.second)]
    windows = (
        local.seen(pool_windows(local.map(each), weights.to(each.device))).cpu()
        for each, weights in zip(both, (batch.first_weights, batch.second_weights), strict=True)
    )
    first, second = windows
    return (first, second), (whole.pool(both[0]).cpu(), whole.pool(both[1]).cpu())
