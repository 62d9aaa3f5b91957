"""How long the learned peers are trained, and how fast: the same for all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hyper-parameters; the same for all learned peers unless their file says otherwise.

    Parameters
    ----------
    batch : int
        Images in a batch, at most those of train.
    passes, least, most : int
        Steps are ``passes`` times the images of train over ``batch``, within ``least`` and ``most``.
    evaluations, patience : int
        How often val is evaluated, and after how many evaluations without a new best training stops.
    rate, decay : float
        AdamW's peak learning rate, and weight decay.
    """

    batch: int = 256
    passes: int = 30
    least: int = 300
    most: int = 3000
    evaluations: int = 15
    patience: int = 5
    rate: float = 1e-3
    decay: float = 1e-2

    def steps(self, images: int) -> int:
        """Return the number of steps for that many images."""
        return min(max(self.passes * math.ceil(images / self.batch), self.least), self.most)


DEFAULT = Schedule()


def cosine(done: float) -> float:
    """Return the share of the highest rate where a share of the steps is done, falling almost to zero."""
    return max(0.5 * (1 + math.cos(math.pi * done)), _FLOOR)
