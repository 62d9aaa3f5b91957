"""Refusals, so many a second: whoever asks again at once waits, and the event loop has time for the rest."""

from __future__ import annotations

import asyncio
from contextlib import suppress

REFUSALS_PER_S = 30.0
"""A refusal costs the event loop a few milliseconds while request threads run beside it."""


class Rate:
    """Gives turns: those of one second at once, then one after the other.

    What waits is bounded by the number of connections, each of which waits for one turn at most.

    Parameters
    ----------
    per_s : float
        Turns a second.
    """

    def __init__(self, per_s: float = REFUSALS_PER_S) -> None:
        self._step_s = 1 / per_s
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for a turn; not if the server stops meanwhile."""
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - 1.0) + self._step_s
        if self._next > now:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(self._next - now)
