"""Following a job: what is told of it while it runs, as server-sent events."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator

from hmar.errors import OperatorError
from hmar.values.jobs import Job
from service.models.jobs import JobProgress

STEP_S = 1.0
"""Pause between two looks at a job."""
LONGEST_S = 600.0
"""After this a client asks anew, and its key is verified again."""
PACE_S = 60.0
"""The time left is told by the files that ended in so long a time."""
HEARTBEAT = ":\n\n"
"""A comment, which tells that the connection lives."""


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


def events(
    look: Callable[[], Job | None], pause: Callable[[], None], clock: Callable[[], float] = time.monotonic
) -> Iterator[str]:
    """Tell what changes of a job until it has ended, and that the connection lives where nothing does.

    Parameters
    ----------
    look : callable
        Returns the job; None ends the events. Where it raises OperatorError, it is asked again.
    pause : callable
        Waits before the next look.
    clock : callable
        Returns seconds that only grow.
    """
    left, end, told = SecondsLeft(), clock() + LONGEST_S, None
    while True:
        try:
            job = look()
            if job is None:
                return
        except OperatorError:
            job = told
        if job is not None and job != told:
            yield _event(job, left.of(job, clock()))
        else:
            yield HEARTBEAT
        if (job is not None and job.finished) or clock() >= end:
            return
        told = job
        pause()


def _event(job: Job, seconds_left: float | None) -> str:
    rounded = None if seconds_left is None else round(seconds_left, 1)
    told = JobProgress.of({**job.summary(), "seconds_left": rounded}).to_json()
    return f"event: progress\ndata: {json.dumps(told)}\n\n"
