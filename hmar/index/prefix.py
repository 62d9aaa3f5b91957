"""How many planes of all codes are read before the rest of what is left: chosen as the scan goes."""

from __future__ import annotations

FIRST_PLANES = 6
LEAST_PLANES = 2


class Prefix:
    """The number of planes that are read of everything.

    A longer prefix costs memory bandwidth, a shorter one lets more pass that is then read in vain. How much
    passes hangs on the codes and on how near the nearest are, so that it is judged block by block.

    Parameters
    ----------
    planes : int
        Planes of a code: 8 or 16.
    queries : int
        Windows of the query. One is compared line by line, where a line that passes costs far more than
        its bytes: the processor has foreseen that it would not. Several are compared frame by frame.
    prunes : bool
        False where all sums are asked for: everything is read at once.
    """

    def __init__(self, planes: int, queries: int, prunes: bool = True) -> None:
        self._most = planes
        self._several = queries > 1
        self._raise_above, self._lower_below = (0.6, 0.2) if self._several else (0.02, 0.002)
        self._least = LEAST_PLANES
        self.planes = min(FIRST_PLANES, planes) if prunes else planes

    def judge(self, planes: int, passed: int, seen: int) -> None:
        """Take into account how much of what was seen passed a prefix of so many planes."""
        if planes != self.planes or not seen:
            return
        if passed > self._raise_above * seen and planes < self._most:
            self.planes = planes + 1
            # One more byte lets a tenth pass of one window, so that the two bounds are never met in turn.
            # Of several windows it may be nearly as much, and the way back would be tried for ever.
            if self._several:
                self._least = planes + 1
        elif passed < self._lower_below * seen and planes > self._least:
            self.planes = planes - 1
