"""Number of steps and cosine decay of the learning rate; the same for all training loops."""

from __future__ import annotations

import math
from dataclasses import dataclass

_FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Length:
    """How long.

    Parameters
    ----------
    passes, least, most : int
        Steps are ``passes`` times the images of train over ``batch``, within ``least`` and ``most``.
    batch : int
        Images in a batch.
    """

    passes: int
    least: int
    most: int
    batch: int

    def steps(self, images: int) -> int:
        """Return the number of steps for that many images."""
        return min(max(self.passes * math.ceil(images / self.batch), self.least), self.most)


def cosine(done: float) -> float:
    """Return the share of the highest rate where a share of the steps is done, falling almost to zero."""
    return max(0.5 * (1 + math.cos(math.pi * done)), _FLOOR)
