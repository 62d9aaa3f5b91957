"""Following a job while it runs: how far it is, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

from hmar.values.jobs import Job, JobProgress

PACE_S = 60.0
"""The time left is told by the files that ended in this time."""
LOOK_S = 1.0
"""Pause between two looks at a job."""


class SecondsLeft:
    """How long the files that are open will take, by how fast others have just ended."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, job: Job, now: float) -> float | None:
        """Return the seconds left; None before any file has ended since the first look, or since a retry.

        Parameters
        ----------
        job : Job
        now : float
            Seconds that only grow.
        """
        if job.finished:
            return 0.0
        if self._seen and job.done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, job.done))
        while self._seen[0][0] < now - PACE_S:
            self._seen.popleft()
        since, before = self._seen[0]
        ended = job.done - before
        return (job.total - job.done) * (now - since) / ended if ended else None


def follow(
    look: Callable[[], Job],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[JobProgress]:
    """Yield the progress of a job whenever it changes, until it has ended.

    Parameters
    ----------
    look : callable
        Returns the job.
    sleep, clock : callable
        Wait for some seconds, and return seconds that only grow.
    """
    left, told = SecondsLeft(), None
    while True:
        job = look()
        if job != told:
            told = job
            yield JobProgress(job, left.of(job, clock()))
        if job.finished:
            return
        sleep(LOOK_S)
