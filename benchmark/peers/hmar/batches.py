"""Batches for our model: balanced by class and by group, and mixed so that no scan is memorised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.peers.hmar.views import View
from hmar.training.data.group_sampler import GroupSampler, Rows


@dataclass(frozen=True, slots=True)
class Mixing:
    """How much a batch is varied.

    Parameters
    ----------
    classmates : float
        Share of images that are mixed with another image of their class, mostly of another group.
    others : float
        Share of batches in which images are mixed with any others, and so are their labels (Zhang et al.,
        ICLR 2018).
    noise : float
        Standard deviation of noise on standardised pooled features.
    """

    classmates: float = 0.5
    others: float = 0.5
    noise: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class MixedBatch:
    """One batch: its images, their labels (B,) and groups (B,), and the share of each class in each.

    Parameters
    ----------
    view : View
    labels, groups : Tensor of int64, shape (B,)
    target : Tensor, shape (B, classes)
        Rows sum to 1.
    mixed : bool
        Whether images of different classes were mixed, so that ``labels`` are only the larger part.
    """

    view: View
    labels: Tensor
    groups: Tensor
    target: Tensor
    mixed: bool


def mixed_batches(
    views: View,
    labels: Rows,
    groups: Rows,
    classes: int,
    size: int,
    count: int,
    mixing: Mixing,
    rng: np.random.Generator,
) -> Iterator[MixedBatch]:
    """Draw random batches from the views of all training images."""
    sampler = GroupSampler(labels, groups)
    for _ in range(count):
        rows, mates = sampler.draw(size, rng)
        first, second = (_mirrored_or_not(views.take(drawn), rng) for drawn in (rows, mates))
        yield mixed_batch(first, second, labels[rows], groups[rows], classes, mixing, rng)


def mixed_batch(
    first: View,
    second: View,
    labels: Rows,
    groups: Rows,
    classes: int,
    mixing: Mixing,
    rng: np.random.Generator,
) -> MixedBatch:
    """Mix images with others of their class, and a share of the batches with images of any class.

    Parameters
    ----------
    first, second : View
        Images, and for each another of its class.
    labels, groups : ndarray of int64, shape (B,)
        Of the first.
    classes : int
    mixing : Mixing
    rng : numpy.random.Generator
    """
    size = len(first)
    keep = np.where(rng.random(size) < mixing.classmates, rng.uniform(0.5, 1, size), 1.0)
    view = first.blend(second, torch.from_numpy(keep).float())
    target = F.one_hot(torch.from_numpy(labels), classes).float()
    mixed = bool(rng.random() < mixing.others)
    if mixed:
        order, share = rng.permutation(size), float(rng.uniform(0.5, 1))
        view = view.blend(view.take(order), torch.full((size,), share))
        target = share * target + (1 - share) * target[torch.from_numpy(order)]
    noise = mixing.noise * torch.from_numpy(rng.standard_normal(view.pooled.shape, np.float32))
    view = replace(view, pooled=view.pooled + noise)
    return MixedBatch(view, torch.from_numpy(labels), torch.from_numpy(groups), target, mixed)


def _mirrored_or_not(view: View, rng: np.random.Generator) -> View:
    return view.mirrored() if rng.random() < 0.5 else view
