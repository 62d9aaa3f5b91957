"""The two stages of our model at image level, on cached features."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.peers.bits import pack_bits
from benchmark.peers.hmar.batches import MixedBatch, Mixing, mixed_batches
from benchmark.peers.hmar.losses import balance, experts_loss, quantisation
from benchmark.peers.hmar.network import BuildNetwork, HmarImageNetwork, Seen
from benchmark.peers.hmar.settings import HmarTraining
from benchmark.peers.hmar.views import View, Viewer
from benchmark.peers.learned.choice import Choice
from benchmark.peers.learned.schedule import cosine
from benchmark.peers.learned.threads import one_thread
from benchmark.types import Describe, Features
from hmar.training.ema import update_ema
from hmar.training.losses.class_codes import class_codes
from hmar.training.losses.functional.window_contrast import region_contrastive

_CHUNK = 256


def train_hmar(
    build: BuildNetwork,
    train: Features,
    val: Features,
    classes: int,
    bits: int,
    seed: int,
    config: HmarTraining,
    mixing: Mixing,
    *,
    stage2: bool,
) -> Describe:
    """Train our model, and return the function that describes images with it.

    Parameters
    ----------
    build : callable
        Builds the network after the seed was set.
    train, val : Features
        The macro mAP on val decides which weights are kept.
    classes, bits, seed : int
    config : HmarTraining
    mixing : Mixing
    stage2 : bool
        Whether the second stage is region-level.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        viewer = Viewer(train)
        network = build(*viewer.widths, bits)
        return _Run(network, viewer, train, val, classes, seed, config, mixing, stage2=stage2).finish()


class _Run:
    def __init__(
        self,
        network: HmarImageNetwork,
        viewer: Viewer,
        train: Features,
        val: Features,
        classes: int,
        seed: int,
        config: HmarTraining,
        mixing: Mixing,
        *,
        stage2: bool,
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._network, self._config, self._mixing, self._stage2 = network, config, mixing, stage2
        self._train, self._classes, self._viewer = train, classes, viewer
        codes = class_codes(classes, network.bits, self._rng)
        self._directions = nn.functional.normalize(torch.from_numpy(codes).float(), dim=1)
        self._choice = Choice.of(train, val, self._rng)
        sides = (self._choice.queries, self._choice.gallery)
        self._looked_at = {id(side): viewer(side) for side in sides}

    def finish(self) -> Describe:
        config = self._config
        steps = config.steps(len(self._train))
        image_steps = round((1 - config.region_share) * steps)
        every = max((steps - image_steps) // config.evaluations, 1)
        network = self._network
        optimiser = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: cosine(step / steps))
        averaged = copy.deepcopy(network)
        batches = mixed_batches(
            self._viewer(self._train),
            self._train.labels,
            self._train.groups,
            self._classes,
            min(config.batch, len(self._train)),
            steps,
            self._mixing,
            self._rng,
        )
        best, kept = -math.inf, copy.deepcopy(averaged)
        for step, batch in enumerate(batches, start=1):
            network.train()
            loss = self._loss(batch, regions=self._stage2 and step > image_steps)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            update_ema(averaged, network, config.average)
            if step == steps or (step > image_steps and (step - image_steps) % every == 0):
                reached = self._choice.quality(self._describe(averaged))
                if not reached <= best:
                    best, kept = reached, copy.deepcopy(averaged)
        return describer(kept, self._viewer)

    def _describe(self, network: HmarImageNetwork) -> Describe:
        return lambda features: packed_codes(network, self._looked_at[id(features)])

    def _loss(self, batch: MixedBatch, *, regions: bool) -> Tensor:
        config = self._config
        seen = self._network(batch.view)
        loss = experts_loss(seen, batch, self._directions, config)
        if regions:
            loss = loss + config.bits * (balance(seen.fused) + quantisation(seen.fused))
            if not batch.mixed:
                loss = loss + config.region * self._region_loss(seen, batch)
        return loss

    def _region_loss(self, seen: Seen, batch: MixedBatch) -> Tensor:
        """Sample windows by their attention and contrast them across images."""
        drawn = torch.multinomial(seen.attention.detach() + 1e-6, self._config.windows)  # (B, n)
        image = torch.arange(len(drawn))[:, None].expand_as(drawn).flatten()
        windows = batch.view.windows[image, drawn.flatten()].flatten(1)
        logits = self._network.local(windows)
        return region_contrastive(logits, image, batch.labels, batch.groups, self._config.temperature)


def describer(network: HmarImageNetwork, viewer: Viewer) -> Describe:
    """Return the function that describes features by the packed fused codes of a network."""

    def describe(features: Features) -> NDArray[np.uint8]:
        return packed_codes(network, viewer(features))

    return describe


@torch.no_grad()
def packed_codes(network: HmarImageNetwork, views: View) -> NDArray[np.uint8]:
    """Return the packed fused codes (N, bits / 8) of images."""
    network.eval()
    rows = np.array_split(np.arange(len(views)), max(math.ceil(len(views) / _CHUNK), 1))
    return pack_bits(torch.cat([network(views.take(chunk)).fused for chunk in rows]).numpy())
