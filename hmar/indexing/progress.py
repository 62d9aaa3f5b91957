"""Signs of progress: for whoever watches a worker, and to keep the lease on a file."""

from __future__ import annotations

import time
from collections.abc import Callable

from hmar.ports import JobStore


class Pulse:
    """Signs of life of who handles messages: how many it took, and since when it has shown no progress."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.taken = 0
        self._clock = clock
        self._last: float | None = None

    def take(self) -> None:
        """Note that a message is taken."""
        self.taken += 1
        self.beat()

    def beat(self) -> None:
        """Note progress."""
        self._last = self._clock()

    def rest(self) -> None:
        """Note that nothing is in hand."""
        self._last = None

    def silent_s(self) -> float | None:
        """Return the seconds since the last sign of progress, None with no message in hand."""
        last = self._last
        return None if last is None else self._clock() - last


class Lease:
    """Keeps an item's lease as long as frames come; a decoder that hangs loses it.

    It is renewed once a quarter of it is over, so that one frame may take most of a lease.
    """

    def __init__(self, jobs: JobStore, item_id: int, lease_s: float, clock: Callable[[], float]) -> None:
        self._jobs = jobs
        self._item_id = item_id
        self._lease_s = lease_s
        self._clock = clock
        self._renewed = clock()

    def progress(self) -> None:
        """Renew the lease, if it is time to."""
        now = self._clock()
        if now - self._renewed > self._lease_s / 4:
            self._jobs.renew(self._item_id, self._lease_s)
            self._renewed = now
