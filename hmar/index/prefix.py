"""How many planes of every code are read before the rest is read of those that may be near; adaptive."""

from __future__ import annotations

FIRST_PLANES = 6
LEAST_PLANES = 2


class Prefix:
    """The number of planes that are read of every code.

    A longer prefix costs memory bandwidth; a shorter one rejects less, and what passes is read again. How
    much passes depends on the codes and on how near the nearest are, so the length is adapted after each
    block.

    Parameters
    ----------
    planes : int
        Planes of a code: 8 or 16.
    queries : int
        Windows of the query. One is compared line by line: a line that passes costs a branch misprediction on
        top of its memory traffic. Several are compared frame by frame.
    prunes : bool
        False where all sums are wanted: all planes are read at once.
    """

    def __init__(self, planes: int, queries: int, prunes: bool = True) -> None:
        self._most = planes
        self._several = queries > 1
        self._raise_above, self._lower_below = (0.6, 0.2) if self._several else (0.02, 0.002)
        self._least = LEAST_PLANES
        self.planes = min(FIRST_PLANES, planes) if prunes else planes

    def judge(self, planes: int, passed: int, seen: int) -> None:
        """Adapt the length to what share of a block passed a prefix of ``planes``."""
        if planes != self.planes or not seen:
            return
        if passed > self._raise_above * seen and planes < self._most:
            self.planes = planes + 1
            # With one window, another byte cuts what passes to a tenth: the length does not oscillate between
            # the two bounds. With several it may cut little: a length that was too short is not tried again.
            if self._several:
                self._least = planes + 1
        elif passed < self._lower_below * seen and planes > self._least:
            self.planes = planes - 1
