"""A dead PACS is asked once in a while, and not by everybody who waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hmar.errors import PacsError

FAILURES = 5
REST_S = 30.0


class Breaker:
    """Stops asking after some failures in a row; after a rest, one request tries again. Thread-safe.

    Parameters
    ----------
    name : str
        Of the PACS, for the error.
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0

    def check(self) -> None:
        """Raise PacsError while the PACS is left alone; let one request through after that."""
        with self._lock:
            if self._failures < FAILURES:
                return
            left_s = self._rests_until - self._clock()
            if left_s > 0:
                raise PacsError(
                    f"The PACS {self._name} failed {self._failures} times in a row, and is left alone for "
                    f"{left_s:.0f} s.",
                    f"Run 'hmar doctor pacs:{self._name}'.",
                )
            self._rests_until = self._clock() + REST_S

    def failed(self) -> None:
        """Note a request that got no answer."""
        with self._lock:
            self._failures += 1
            self._rests_until = self._clock() + REST_S

    def worked(self) -> None:
        """Note a request that was answered, whatever the answer."""
        with self._lock:
            self._failures = 0
