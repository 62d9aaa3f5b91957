"""Requests without a valid key, of which a flood must not fill the disk with rows of the audit log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from service.edge.buckets import Buckets
from service.edge.remembered import OwnMemory

RECORDED_PER_MINUTE = 60
_log = logging.getLogger("hmar.service.audit")


class Strangers:
    """Chooses those that are recorded one by one; of the others the log tells the number. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = Buckets(RECORDED_PER_MINUTE, clock, OwnMemory(most=1))
        self._lock = threading.Lock()
        self._left_out = 0

    def recorded(self) -> bool:
        """Return whether the request at hand is recorded."""
        with self._lock:
            if self._bucket.wait_s("all") > 0:
                self._left_out += 1
                return False
            self._bucket.take("all")
            left_out, self._left_out = self._left_out, 0
        if left_out:
            _log.warning("%d requests were refused before a key was valid, and not recorded", left_out)
        return True
