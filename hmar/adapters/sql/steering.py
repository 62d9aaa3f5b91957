"""Jobs that somebody ends before their time, or tries again."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, exists, update

from hmar.adapters.sql.ending import lock_job
from hmar.adapters.sql.schema import items, jobs
from hmar.values.jobs import JOB_CANCELLED, OPEN_JOB_STATES, TRIED_AGAIN, ItemState, JobState


def of_cancelled_job() -> ColumnElement[bool]:
    """Return the condition on items that their job was cancelled."""
    return exists().where(jobs.c.job_id == items.c.job_id, jobs.c.state == JobState.CANCELLED)


def cancel(connection: Connection, job_id: str, now: float) -> None:
    """Cancel a job that is open, and its queued items with it."""
    if lock_job(connection, job_id) not in OPEN_JOB_STATES:
        return
    connection.execute(
        update(jobs)
        .where(jobs.c.job_id == job_id)
        .values(state=JobState.CANCELLED, reason=JOB_CANCELLED, updated_at=now)
    )
    connection.execute(
        update(items)
        .where(items.c.job_id == job_id, items.c.state == ItemState.QUEUED)
        .values(state=ItemState.CANCELLED, reason=JOB_CANCELLED, patient_key=None)
    )


def retry(connection: Connection, job_id: str, now: float) -> None:
    """Put failed and dead items back to queued; a job that failed as a whole is to be listed again."""
    state = lock_job(connection, job_id)
    if state is None or state == JobState.CANCELLED:
        return
    tried_again = (
        update(items)
        .where(items.c.job_id == job_id, items.c.state.in_(sorted(TRIED_AGAIN)))
        .values(state=ItemState.QUEUED, attempts=0, frames=0, reason=None, queued_at=now)
    )
    any_item = connection.execute(tried_again).rowcount > 0
    if state == JobState.FAILED or (any_item and state == JobState.DONE):
        again = JobState.QUEUED if state == JobState.FAILED else JobState.RUNNING
        connection.execute(
            update(jobs)
            .where(jobs.c.job_id == job_id)
            .values(state=again, reason=None, updated_at=now, queued_at=now)
        )
