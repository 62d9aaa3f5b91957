"""The one training loop of all learned peers, so that they differ only in head and loss."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.peers.bits import pack_bits
from benchmark.peers.learned.choice import Choice
from benchmark.peers.learned.models import Batch, BuildModel, CodeModel
from benchmark.peers.learned.sampling import balanced_batches
from benchmark.peers.learned.schedule import DEFAULT, Schedule, cosine
from benchmark.peers.learned.threads import one_thread
from benchmark.peers.scaling import Standardiser
from benchmark.types import Describe, Features

_CHUNK = 4096


def learn(
    build: BuildModel, train: Features, val: Features, seed: int, schedule: Schedule = DEFAULT
) -> Describe:
    """Train a model on the parts of images, and keep the weights that did best on val.

    AdamW whose rate falls by a cosine to a thousandth; batches in which every class is equally likely
    (:mod:`benchmark.peers.learned.sampling`), of any look at each image. Images are described by their first
    look. The criterion is :meth:`benchmark.peers.learned.choice.Choice.quality`; if val has no class in
    common with train, all steps are taken and the last weights are kept. One thread, and the same result for
    the same seed.

    Parameters
    ----------
    build : callable
        Builds the model after the seed was set.
    train, val : Features
    seed : int
        Seeds weights, class codes and batches.
    schedule : Schedule

    Returns
    -------
    callable
        Describes features by packed codes.
    """
    scale = Standardiser.of(_flat(train.parts[0]))
    rng = np.random.default_rng(seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(len(scale.mean), rng)
        _train(model, scale, train, Choice.of(train, val, rng), schedule, rng)
    return describer(model, scale)


def describer(model: CodeModel, scale: Standardiser) -> Describe:
    """Return the function that describes features by the packed codes of a model."""

    @torch.no_grad()
    def describe(features: Features) -> NDArray[np.uint8]:
        model.eval()
        rows = torch.split(torch.from_numpy(scale(_flat(features.parts[0]))), _CHUNK)
        return pack_bits(torch.cat([model(chunk) for chunk in rows]).numpy())

    return describe


def _train(
    model: CodeModel,
    scale: Standardiser,
    train: Features,
    choice: Choice,
    schedule: Schedule,
    rng: np.random.Generator,
) -> None:
    steps = schedule.steps(len(train))
    every = max(steps // schedule.evaluations, 1)
    optimiser = torch.optim.AdamW(model.parameters(), schedule.rate, weight_decay=schedule.decay)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: cosine(step / steps))
    inputs = torch.from_numpy(np.stack([scale(_flat(look)) for look in train.parts]))  # (K, N, D)
    labels, thumbnails = torch.from_numpy(train.labels), torch.from_numpy(train.thumbnails)
    best, kept, since = -math.inf, copy.deepcopy(model.state_dict()), 0
    for step, drawn in enumerate(
        balanced_batches(train.labels, min(schedule.batch, len(train)), steps, rng), start=1
    ):
        rows, looks = torch.from_numpy(drawn), torch.from_numpy(rng.integers(len(inputs), size=len(drawn)))
        model.train()
        loss = model.loss(inputs[looks, rows], Batch(labels[rows], thumbnails[rows], (step - 1) / steps))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        falling.step()
        if step % every and step < steps:
            continue
        reached = choice.quality(describer(model, scale))
        # NaN (val has no query): all comparisons are false, so patience is not used up and the last weights
        # win.
        since = since + 1 if reached <= best else 0
        if since == schedule.patience:
            break
        if not reached < best:
            best, kept = reached, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)


def _flat(parts: NDArray[np.float16]) -> NDArray[np.float32]:
    """(N, C, 3, 3) -> (N, C * 9)."""
    return parts.reshape(len(parts), -1).astype(np.float32)
