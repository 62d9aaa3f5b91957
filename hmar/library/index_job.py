"""An index job in this process, from its submission to its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from hmar.adapters.memory import InlineQueue
from hmar.errors import OperatorError
from hmar.ports import JobStore
from hmar.values.entries import Origin
from hmar.values.jobs import FAULTY_ITEM_STATES, OPEN_JOB_STATES, Item, ItemState, Job, Message
from hmar.wiring import Engine

POLL_S = 0.2
"""Pause between two looks at a job, and before a file that another process holds is tried again."""

GIVEN_UP = "The run was interrupted before this was indexed."
"""Why a job over some files, and those of its files that are open, have failed."""


def run_job(
    engine: Engine,
    queue: InlineQueue,
    collection: str,
    origin: Origin,
    contents: Sequence[bytes] | None = None,
    label: str | None = None,
    report: Callable[[Job], None] = lambda _job: None,
    resumed: Callable[[], None] = lambda: None,
    references: Sequence[str] | None = None,
    patients: Mapping[str, str] | None = None,
) -> Job:
    """Index all that lies at ``origin``, or ``contents`` alone, and return the job once it has ended.

    An interrupted job over all that lies there is resumed. One over ``references`` never is: it ends as
    failed when it is interrupted, for the next one may be told other patients.

    Parameters
    ----------
    engine : Engine
        Built with ``queue``.
    queue : InlineQueue
        Its handler is set as long as the job runs.
    collection, origin, label
        See :meth:`hmar.indexing.indexer.Indexer.submit`.
    contents : sequence of bytes, optional
        Files to keep and to index; ``origin`` is of no account then.
    report : callable
        Called with the job from time to time, and once at its end.
    resumed : callable
        Called when an interrupted job is resumed.
    references : sequence of str, optional
        Files of the source that ``origin`` names, which are indexed in place of all that lies at ``origin``.
    patients : mapping of str to str, optional
        Keys of patients, for some of ``references``; see :func:`hmar.indexing.submitting.submit`.

    Raises
    ------
    OperatorError
        If the database fails.
    """
    indexer = engine.indexer
    alone = contents is not None or references is not None
    job_id = None if alone else _interrupted(engine.jobs, collection, label, origin)
    due = 0.0

    def handle(message: Message) -> None:
        nonlocal job_id, due
        if message.kind == "expand":
            job_id = message.target
        try:
            indexer.handle(message)
        except OperatorError as error:
            raise _StoppedError(error) from error
        if job_id is not None and time.monotonic() >= due:
            due = time.monotonic() + POLL_S
            report(known_job(engine.jobs, job_id))

    queue.handler = handle
    try:
        if contents is not None:
            job_id = indexer.submit_files(collection, contents, label)
        elif job_id is None:
            job_id = indexer.submit(collection, origin, references, label, patients)
        else:
            resumed()
            indexer.resume(job_id)
        while not (job := known_job(engine.jobs, job_id)).finished:
            # A file to try again, or one whose lease another process still holds.
            report(job)
            time.sleep(POLL_S)
            indexer.handle(Message("expand", job_id))
    except BaseException as stopped:
        if references is not None and job_id is not None:
            _give_up(engine.jobs, job_id)
        if isinstance(stopped, _StoppedError):
            raise stopped.reason from stopped
        raise
    finally:
        queue.handler = None
    report(job)
    return job


def known_job(jobs: JobStore, job_id: str) -> Job:
    """Return a job that is there; rows of jobs are never deleted."""
    job = jobs.job(job_id)
    if job is None:
        raise RuntimeError("a job vanished from the database")
    return job


def failed_items(jobs: JobStore, job: Job) -> list[Item]:
    """Return the files of a job that failed, as a whole or in part, or were given up."""
    return jobs.items(job.job_id, FAULTY_ITEM_STATES, sys.maxsize >> 32)


def skipped_items(jobs: JobStore, job: Job) -> list[Item]:
    """Return the files of a job that are no images, or masks of images."""
    return jobs.items(job.job_id, {ItemState.SKIPPED}, sys.maxsize >> 32)


class _StoppedError(Exception):
    """The database fails in this process: unlike a broker that is down, no sweep mends that."""

    def __init__(self, reason: OperatorError) -> None:
        super().__init__()
        self.reason = reason


def _give_up(jobs: JobStore, job_id: str) -> None:
    """End a job that nothing resumes; an error in that does not hide what stopped the job."""
    with suppress(OperatorError):
        jobs.fail_job(job_id, GIVEN_UP)


def _interrupted(jobs: JobStore, collection: str, label: str | None, origin: Origin) -> str | None:
    for job in jobs.unfinished(OPEN_JOB_STATES):
        if (job.collection, job.label, job.origin) == (collection, label, origin):
            return job.job_id
    return None
