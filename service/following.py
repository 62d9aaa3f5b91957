"""Following a job: what is told of it while it runs, as server-sent events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from hmar.errors import OperatorError
from hmar.indexing.following import SecondsLeft
from hmar.values.jobs import Job
from hmar.values.jobs import JobProgress as Progress
from service.models.jobs import JobProgress

STEP_S = 1.0
"""Pause between two looks at a job."""
LONGEST_S = 600.0
"""After this a client asks anew, and its key is verified again."""
HEARTBEAT = ":\n\n"
"""A comment, which tells that the connection lives."""


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
    told = JobProgress.of(Progress(job, seconds_left).to_dict()).to_json()
    return f"event: progress\ndata: {json.dumps(told)}\n\n"
