"""Training a head and the backbone's last blocks together, on augmented images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.accuracy.lite0 import Lite0
from benchmark.peers.hmar.batches import MixedBatch, Mixing, mixed_batch
from benchmark.peers.hmar.views import Viewer
from benchmark.peers.learned.schedule import Length, cosine
from benchmark.peers.learned.threads import one_thread
from benchmark.peers.tuned.augment import ImageVariation, varied
from benchmark.peers.tuned.heads import BuildHead
from benchmark.peers.tuned.network import TunedNetwork, read_images
from benchmark.types import Features
from hmar.training.data.group_sampler import GroupSampler
from hmar.training.ema import ema_decay, update_ema

_CLIP = 2.0
_SETTLED, _AT_ONCE = 16, 64
"""Batches on which batch-norm statistics are measured at the end, and images in each."""


@dataclass(frozen=True, slots=True)
class TunedTraining(Length):
    """Hyper-parameters of a training.

    Parameters
    ----------
    passes, least, most : int
        Steps are ``passes`` times the images of train over ``batch``, within ``least`` and ``most``.
    batch : int
        Images of a step, at most those of train; half of them are partners of the others: of the same class,
        mostly of other groups.
    rate, backbone_rate : float
        AdamW's peak learning rates, of the head and of the backbone after its stem.
    decay, backbone_decay : float
        Weight decay.
    warm_up : int
        Steps in which the rates rise, before a cosine to a thousandth.
    decided : float
        Share of the steps, at the end, with losses of quantisation and balance.
    average : float
        Decay of the EMA of weights that is kept.
    """

    passes: int = 6
    least: int = 120
    most: int = 3000
    batch: int = 96
    rate: float = 1e-3
    backbone_rate: float = 3e-4
    decay: float = 5e-2
    backbone_decay: float = 1e-2
    warm_up: int = 30
    decided: float = 0.25
    average: float = 0.98


def tune(
    backbone: Lite0,
    build: BuildHead,
    train: Features,
    classes: int,
    lengths: Sequence[int],
    seed: int,
    config: TunedTraining,
    mixing: Mixing,
    variation: ImageVariation,
    step: Callable[[int, int], None],
) -> TunedNetwork:
    """Train and return the EMA of all weights; nothing is chosen on val.

    Parameters
    ----------
    backbone : Lite0
        Batch norms folded; trained in place.
    build : callable
        Builds the head after the seed was set.
    train : Features
        Their frozen features give the scale of the features that are trained.
    classes : int
    lengths : sequence of int
        Of the codes, ascending: the first bits of the longest are the shorter ones.
    seed : int
    config : TunedTraining
    mixing : Mixing
    variation : ImageVariation
    step : callable
        Told (done, total) after each step.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        viewer = Viewer(train)
        network = TunedNetwork(backbone, viewer, build(viewer.widths, classes, lengths, rng))
        return _trained(network, train, classes, rng, config, mixing, variation, step)


def _trained(
    network: TunedNetwork,
    train: Features,
    classes: int,
    rng: np.random.Generator,
    config: TunedTraining,
    mixing: Mixing,
    variation: ImageVariation,
    step: Callable[[int, int], None],
) -> TunedNetwork:
    steps = config.steps(len(train))
    groups = [
        {"params": list(network.head.parameters()), "lr": config.rate, "weight_decay": config.decay},
        {
            "params": [weights for weights in network.backbone.parameters() if weights.requires_grad],
            "lr": config.backbone_rate,
            "weight_decay": config.backbone_decay,
        },
    ]
    optimiser = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: min(1.0, (done + 1) / config.warm_up) * cosine(done / steps)
    )
    averaged = copy.deepcopy(network)
    sampler = GroupSampler(train.labels, train.groups)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    for done in range(steps):
        network.train()
        batch = draw_batch(network, train, classes, sampler, rng, generator, config, mixing, variation)
        loss = network.head.loss(batch, decide=done >= (1 - config.decided) * steps)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        for group in optimiser.param_groups:
            nn.utils.clip_grad_norm_(group["params"], _CLIP)
        optimiser.step()
        schedule.step()
        update_ema(averaged, network, ema_decay(config.average, done + 1))
        step(done + 1, steps)
    _settle(averaged, train, rng)
    return averaged


def draw_batch(
    network: TunedNetwork,
    train: Features,
    classes: int,
    sampler: GroupSampler,
    rng: np.random.Generator,
    generator: torch.Generator,
    config: TunedTraining,
    mixing: Mixing,
    variation: ImageVariation,
) -> MixedBatch:
    """Draw images and their partners, and mix each with the other."""
    half = (min(config.batch, len(train)) + 1) // 2
    rows = np.concatenate(sampler.draw(half, rng))
    images = varied(read_images([train.paths[row] for row in rows.tolist()]), variation, generator)
    view = network.view(images)
    mates = view.take(np.roll(np.arange(2 * half), half))
    return mixed_batch(view, mates, train.labels[rows], train.groups[rows], classes, mixing, rng)


@torch.no_grad()
def _settle(network: TunedNetwork, train: Features, rng: np.random.Generator) -> None:
    """Measure the batch-norm statistics of the head again, on images without augmentation."""
    norms = [module for module in network.head.modules() if isinstance(module, nn.BatchNorm1d)]
    if not norms:
        return
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all that follow
        norm.train()
    rows = rng.permutation(len(train))[: _SETTLED * _AT_ONCE]
    for some in np.array_split(rows, max(len(rows) // _AT_ONCE, 1)):
        network(read_images([train.paths[row] for row in some.tolist()]))
    network.eval()
