"""What the edge refused, for the log: a line a second, not one a request, for in a flood time is short."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

_access = logging.getLogger("hmar.service.access")

PERIOD_S = 1.0


class Tally:
    """Counts answers by status; for the event loop's thread alone."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def note(self, status: int) -> None:
        """Count an answer; it is logged within a second."""
        if not self._counts:
            asyncio.get_running_loop().call_later(PERIOD_S, self.tell)
        self._counts[status] += 1

    def tell(self) -> None:
        """Log what was counted since the last time."""
        for status, count in sorted(self._counts.items()):
            _access.info("%d answered %d before they reached a route", count, status)
        self._counts.clear()
