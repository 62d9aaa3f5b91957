"""What the edge refused, for the log: a line a second, not one a request, for in a flood time is short."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextvars import Context

_access = logging.getLogger("hmar.service.access")

PERIOD_S = 1.0


class Tally:
    """Counts answers by status; for the event loop's thread alone.

    Parameters
    ----------
    counted : callable
        Told the status of each.
    """

    def __init__(self, counted: Callable[[int], None]) -> None:
        self._counted = counted
        self._counts: Counter[int] = Counter()

    def note(self, status: int) -> None:
        """Count an answer; it is logged within a second."""
        if not self._counts:
            # In a context of its own: the line is of several requests.
            asyncio.get_running_loop().call_later(PERIOD_S, self.tell, context=Context())
        self._counts[status] += 1
        self._counted(status)

    def tell(self) -> None:
        """Log what was counted since the last time."""
        for status, count in sorted(self._counts.items()):
            _access.info("%d answered %d before they reached a route", count, status)
        self._counts.clear()
