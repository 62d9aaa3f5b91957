"""When a request that was refused for want of room is sent again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

ATTEMPTS = 6
FIRST_S = 0.25
LONGEST_S = 60.0
"""A server that wants more time is not waited for."""
BUSY = frozenset({429, 503})
"""Too many requests, and no room or a part that does not answer."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Waits before a request is sent again: as the server says, else twice as long each time.

    As much again as that doubling pause, at most, is added at random, so that clients that were refused
    together do not come back together.

    Parameters
    ----------
    sleep : callable
        Waits for some seconds.
    draw : callable
        Returns a random number from 0 to 1.
    attempts : int
        Of one request, the first included.
    """

    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    attempts: int = ATTEMPTS

    def wait(self, attempt: int, retry_after: str | None) -> bool:
        """Wait after an attempt, counted from 1; return False, at once, if there is to be no other.

        Parameters
        ----------
        attempt : int
        retry_after : str or None
            The header of that name, in seconds.
        """
        backoff_s = FIRST_S * 2 ** (attempt - 1)
        named = retry_after is not None and retry_after.strip().isdecimal()
        wanted_s = float(retry_after or 0) if named else backoff_s
        if attempt >= self.attempts or wanted_s > LONGEST_S:
            return False
        self.sleep(wanted_s + self.draw() * backoff_s)
        return True
