"""Ours: Expert0, taught labels of images as ``hmar train`` does, and the same with other last layers."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.layers import matrix_network, mlp_network
from benchmark.peers.bits import check_length, pack_bits
from benchmark.peers.learned.threads import one_thread
from benchmark.types import Describe, Features
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone
from hmar.model.config import NetworkConfig
from hmar.model.network import HmarNetwork
from hmar.training.config import PRESETS, TrainingConfig
from hmar.training.data.image_labels import ImageLabels
from hmar.training.labels.material import Material
from hmar.training.labels.width import frame_width
from hmar.training.labels.work import LabelWork
from hmar.training.loop import Loop
from hmar.training.reports import Step
from hmar.training.trainable import BuildNetwork, trainable_network
from hmar.values.codes import CODE_BITS

_CHUNK = 1024


class Hmar:
    """Expert0 with its KAN layer.

    One training makes the codes of every length: the shorter are the first bits of the longest.
    """

    name: ClassVar[str] = "hmar"
    paper: ClassVar[str] = "HMAR (arXiv 2603.16679), this project's own build of it"
    learns: ClassVar[bool] = True
    longest: ClassVar[int] = CODE_BITS
    build: BuildNetwork = staticmethod(trainable_network)
    training: TrainingConfig = PRESETS["archive"]

    def __init__(self) -> None:
        self._train: Callable[[], Features | None] = lambda: None
        self._learnt: dict[int, HmarNetwork] = {}

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:  # noqa: ARG002
        """Train Expert0, or return what it learnt for another length. See :class:`benchmark.types.Peer`."""
        check_length(self, bits)
        if self._train() is not train:  # another protocol: the networks of the last one are not needed again
            self._train, self._learnt = weakref.ref(train), {}
        if seed not in self._learnt:
            self._learnt[seed] = self._trained(train, val, seed)
        network = self._learnt[seed]
        return lambda features: pack_bits(_logits(network, features)[:, :bits].numpy())

    def _trained(self, train: Features, val: Features, seed: int) -> HmarNetwork:
        config = replace(self.training, seed=seed)
        material = material_of(train, val)
        width = frame_width(train.parts.shape[2], len(train))
        device = torch.device("cpu")
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self.build(NetworkConfig(backbone=Lite0Backbone.name, frame_width=width))
            work = LabelWork(network, lambda: material, config, device, learns_all=False)
            Loop(network, config, device).run(work, _unheard)
        return network.eval()


class HmarNoKan(Hmar):
    """A matrix in place of the KAN layer."""

    name: ClassVar[str] = "hmar-no-kan"
    build: BuildNetwork = staticmethod(matrix_network)


class HmarMlp(Hmar):
    """A perceptron in place of the KAN layer, with as many parameters."""

    name: ClassVar[str] = "hmar-mlp"
    build: BuildNetwork = staticmethod(mlp_network)


HMAR_PEERS = (Hmar(), HmarNoKan(), HmarMlp())


def material_of(train: Features, val: Features) -> Material:
    """Return what Expert0 learns labels from: train, and val, which is held out to choose the weights."""
    known = np.isin(val.labels, train.labels)
    chosen = val.take(np.flatnonzero(known))
    labels = np.concatenate([train.labels, chosen.labels])
    names, numbers = np.unique(labels, return_inverse=True)
    groups = np.concatenate([train.groups, chosen.groups])
    held_out = np.arange(len(labels)) >= len(train)
    parts = torch.from_numpy(np.concatenate([train.parts, chosen.parts], axis=1))
    return Material(parts, ImageLabels(numbers.astype(np.int64), groups, len(names)), held_out)


@torch.no_grad()
def _logits(network: HmarNetwork, features: Features) -> Tensor:
    served: NDArray[np.float16] = features.parts[0]
    chunks = torch.split(torch.from_numpy(served), _CHUNK)
    return torch.cat([network.global_expert(chunk.float()) for chunk in chunks])


def _unheard(_step: Step) -> None:
    """Report nothing: trials have a progress of their own."""
