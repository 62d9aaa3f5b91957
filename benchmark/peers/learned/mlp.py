"""A learned code with one hidden layer."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmark.peers.learned.heads import balanced, mlp_head
from benchmark.peers.learned.models import CodeModel, HeadModel
from benchmark.peers.learned.orthohash import OrthoHashLoss
from benchmark.peers.learned.schedule import DEFAULT, Schedule
from benchmark.peers.learned.training import learn
from benchmark.types import Describe, Features
from hmar.training.losses.class_codes import class_codes


class Mlp:
    """A head with one hidden layer of 512, with OrthoHash's loss."""

    name: ClassVar[str] = "mlp"
    paper: ClassVar[str] = "OrthoHash (Hoe et al., NeurIPS 2021), MLP head"
    learns: ClassVar[bool] = True
    schedule: Schedule = DEFAULT

    def fit(self, train: Features, val: Features, classes: int, bits: int, seed: int) -> Describe:
        """Train the head. See :class:`benchmark.types.Peer`."""

        def build(inputs: int, rng: np.random.Generator) -> CodeModel:
            head = balanced(mlp_head(inputs, bits), bits)
            return HeadModel(head, OrthoHashLoss(class_codes(classes, bits, rng)))

        return learn(build, train, val, seed, self.schedule)
