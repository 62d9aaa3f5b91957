"""How many planes of every code are read before the rest is read of those that may be near; adaptive."""

from __future__ import annotations

FIRST_PLANES = 6
LEAST_PLANES = 2
RAISE_ABOVE, LOWER_BELOW = 0.02, 0.002
"""Shares that pass. Another plane cuts what passes to a tenth: the length does not oscillate between them."""


class Prefix:
    """The number of planes that are read of every code for a query of one window.

    A longer prefix costs memory bandwidth; a shorter one rejects less, and a line that passes costs a branch
    misprediction on top of its memory traffic. How much passes depends on the codes and on how near the
    nearest are, so the length is adapted after each block.

    Parameters
    ----------
    planes : int
        Planes of a code: 8 or 16.
    """

    def __init__(self, planes: int) -> None:
        self._most = planes
        self.planes = min(FIRST_PLANES, planes)

    def judge(self, planes: int, passed: int, seen: int) -> None:
        """Adapt the length to what share of a block passed a prefix of ``planes``."""
        if planes != self.planes or not seen:
            return
        if passed > RAISE_ABOVE * seen and planes < self._most:
            self.planes = planes + 1
        elif passed < LOWER_BELOW * seen and planes > LEAST_PLANES:
            self.planes = planes - 1
