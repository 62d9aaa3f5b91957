"""The heads of the peers that fine-tune the backbone: ours, and a linear one to compare with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.peers.hmar.batches import MixedBatch
from benchmark.peers.hmar.losses import balance, experts_loss, quantisation
from benchmark.peers.hmar.network import HmarImageNetwork, HmarSizes, Seen
from benchmark.peers.hmar.settings import HmarTraining
from benchmark.peers.hmar.views import View
from benchmark.peers.learned.heads import balanced, linear_head
from hmar.training.losses.class_codes import nested_codes
from hmar.training.losses.functional.centre import centre_loss
from hmar.training.losses.functional.nested import nested

_SHORT_SHARE = 0.5


class TunedHead(nn.Module, ABC):
    """Maps views to logits whose first bits are the shorter codes; its loss covers every length."""

    @abstractmethod
    def forward(self, view: View) -> Tensor:
        """Return logits (B, bits); a bit is 1 where its logit is above 0."""

    @abstractmethod
    def loss(self, batch: MixedBatch, *, decide: bool) -> Tensor:
        """Return a scalar; ``decide`` adds the losses of quantisation and balance."""


BuildHead = Callable[[tuple[int, int, int], int, Sequence[int], np.random.Generator], TunedHead]
"""(widths of pooled features, frame and window; classes; lengths of code; source of codes) to a head."""


class _ClassCodes(TunedHead):
    """A head with class codes that are far apart at every length."""

    codes: Tensor

    def __init__(self, classes: int, lengths: Sequence[int], rng: np.random.Generator) -> None:
        super().__init__()
        self.lengths = tuple(lengths)
        self.register_buffer("codes", nested_codes(classes, self.lengths, rng))

    def directions(self, bits: int) -> Tensor:
        """Return the first bits of the classes' codes, scaled to length 1."""
        return F.normalize(self.codes[:, :bits], dim=1)


class ExpertsHead(_ClassCodes):
    """Both experts with KAN heads, and the router."""

    def __init__(
        self, widths: tuple[int, int, int], classes: int, lengths: Sequence[int], rng: np.random.Generator
    ) -> None:
        super().__init__(classes, lengths, rng)
        self._config = HmarTraining()
        self.network = HmarImageNetwork(*widths, self.lengths[-1], kan=True, router=True, sizes=HmarSizes())

    def forward(self, view: View) -> Tensor:
        """Return the fused logits."""
        seen: Seen = self.network(view)
        return seen.fused

    def loss(self, batch: MixedBatch, *, decide: bool) -> Tensor:
        """Return the mean over lengths of the losses of the peer ``hmar``, without those of regions."""
        seen: Seen = self.network(batch.view)
        losses = []
        for bits in self.lengths:
            of_length = replace(
                seen, whole=seen.whole[:, :bits], local=seen.local[:, :bits], fused=seen.fused[:, :bits]
            )
            loss = experts_loss(of_length, batch, self.directions(bits), self._config)
            if decide:
                loss = loss + self._config.bits * (balance(of_length.fused) + quantisation(of_length.fused))
            losses.append(loss)
        return nested(losses, _SHORT_SHARE)


class OrthoHashHead(_ClassCodes):
    """One matrix on the pooled features, with the loss of the peer ``linear``."""

    def __init__(
        self, widths: tuple[int, int, int], classes: int, lengths: Sequence[int], rng: np.random.Generator
    ) -> None:
        super().__init__(classes, lengths, rng)
        self._config = HmarTraining()
        self.head = balanced(linear_head(widths[0], self.lengths[-1]), self.lengths[-1])

    def forward(self, view: View) -> Tensor:
        """Return logits, each normalised by its mean and deviation in training."""
        logits: Tensor = self.head(view.pooled)
        return logits

    def loss(self, batch: MixedBatch, *, decide: bool) -> Tensor:  # noqa: ARG002 - balanced as they are
        """Return the mean over lengths of the class-centre loss."""
        logits, config = self(batch.view), self._config
        losses = [
            centre_loss(
                logits[:, :bits], batch.target, self.directions(bits), config.scale, config.margin
            ).mean()
            for bits in self.lengths
        ]
        return nested(losses, _SHORT_SHARE)
