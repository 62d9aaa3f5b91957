"""Steps of the wall clock, which a person or a time server may set forward or back while programs run."""

from __future__ import annotations

import time
from collections.abc import Callable

STEP_S = 5.0
"""Between two looks the clocks may differ by this much without a step."""


class ClockSteps:
    """Notices that the wall clock was set, by a clock that only grows.

    A machine that slept counts as stepped forward.

    Parameters
    ----------
    wall, steady : callable
        Return seconds: since the epoch, and of a clock that nobody sets.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()

    def seen(self) -> bool:
        """Return whether the wall clock was set since the last look."""
        before, self._offset = self._offset, self._wall() - self._steady()
        return abs(self._offset - before) > STEP_S
