"""The simplest learned code: one matrix."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.peers.learned.heads import balanced, linear_head
from benchmark.peers.learned.models import CodeModel, HeadModel
from benchmark.peers.learned.orthohash import OrthoHashLoss
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features
from hmar.training.losses.class_codes import class_codes


class Linear:
    """A linear head with OrthoHash's loss."""

    name: ClassVar[str] = "linear"
    paper: ClassVar[str] = "OrthoHash (Hoe et al., NeurIPS 2021), linear head"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:
            head = balanced(linear_head(inputs, bits), bits)
            return HeadModel(head, OrthoHashLoss(class_codes(classes, bits, rng)))

        return learn(build, train, val, seed, self.schedule)
