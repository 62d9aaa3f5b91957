"""Jobs that somebody ends before their time, or tries again."""

from __future__ import annotations

import logging

from hmar.errors import ConflictError, OperatorError
from hmar.indexing.submitting import send
from hmar.ports import JobQueue, JobStore
from hmar.uploads import UPLOAD, KeptUploads
from hmar.values.jobs import TRIED_AGAIN, ItemState, JobState, Message

PAGE_ITEMS = 1000
_log = logging.getLogger(__name__)


def cancel(jobs: JobStore, uploads: KeptUploads, job_id: str) -> None:
    """End a job before its time: nothing more of it is begun, and what was sent for it is removed."""
    jobs.cancel(job_id)
    after = 0
    while page := jobs.items(job_id, {ItemState.CANCELLED}, PAGE_ITEMS, after):
        sent = [item.origin.reference for item in page if item.origin.source == UPLOAD]
        try:
            uploads.collect(sent)
        except OperatorError as error:
            _log.warning("%d uploads wait for the next sweep: %s", len(sent), error.detail)
        after = page[-1].item_id


def retry(jobs: JobStore, queue: JobQueue, job_id: str) -> None:
    """Index the files of a folder's job again that failed or were given up; where there are none, do nothing.

    Raises
    ------
    ConflictError
        For a job that was cancelled, and for one over files that were given one by one: those that were sent
        are not kept when they fail, and neither are the patients that were given with files.
    """
    job = jobs.job(job_id)
    if job is None:
        return
    if job.state is JobState.CANCELLED:
        raise ConflictError("The job was cancelled.", "Create a new one: what is indexed stays as it is.")
    if job.state is not JobState.FAILED and not any(map(job.counts.get, TRIED_AGAIN)):
        return
    if not job.origin.reference:
        raise ConflictError(
            "The job is over files that were given one by one, which are not kept when they fail.",
            "Create a new job over those that failed.",
        )
    jobs.retry(job_id)
    send(queue, [Message("expand", job_id)])
