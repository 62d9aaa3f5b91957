"""A worker that takes no messages any more ends itself: it answers pings, and so nobody else would notice.

The supervisor starts another, `/readyz` fails meanwhile, and what was in hand is sent again when its lease is
over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from hmar.errors import UnavailableError
from hmar.indexing.progress import Pulse

SILENT_S = 600.0
"""No progress on what is in hand for so long: far beyond what a frame may take."""
IGNORED_S = 180.0
"""Messages have waited for so long while nothing was in hand; connecting to a broker anew takes less."""
CHECK_S = 15.0
ENDED = 70
"""Exit status (EX_SOFTWARE of sysexits.h)."""

_log = logging.getLogger(__name__)


class Liveness:
    """Tells whether a worker still works.

    Parameters
    ----------
    pulse : Pulse
        Its signs of life.
    backlog : callable
        Returns how many messages wait; raises UnavailableError without a broker.
    clock : callable
        Seconds.
    """

    def __init__(
        self, pulse: Pulse, backlog: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pulse = pulse
        self._backlog = backlog
        self._clock = clock
        self._ignoring: tuple[int, float] | None = None

    def trouble(self) -> str | None:
        """Return why the worker should end, None while it works. Call it every few seconds."""
        silent_s = self._pulse.silent_s()
        if silent_s is not None:
            self._ignoring = None
            return f"no progress for {silent_s:.0f} s" if silent_s > SILENT_S else None
        if not self._waiting():
            self._ignoring = None
            return None
        taken, now = self._pulse.taken, self._clock()
        if self._ignoring is None or self._ignoring[0] != taken:
            self._ignoring = (taken, now)
        ignored_s = now - self._ignoring[1]
        return f"messages wait, none was taken for {ignored_s:.0f} s" if ignored_s > IGNORED_S else None

    def _waiting(self) -> bool:
        try:
            return self._backlog() > 0
        except UnavailableError:
            return False


def watch(
    liveness: Liveness, interval_s: float, stopped: threading.Event, end: Callable[[int], None]
) -> None:
    """Look every ``interval_s`` seconds until ``stopped``; in trouble, call ``end`` with an exit status."""
    while not stopped.wait(interval_s):
        if (trouble := liveness.trouble()) is not None:
            _log.error("this worker ends itself: %s", trouble)
            end(ENDED)
            return
