"""The end of jobs, and of files that are given up before they were indexed."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, exists, select, update

from hmar.adapters.sql.schema import items, jobs
from hmar.values.jobs import OPEN_ITEM_STATES, ItemState, JobState

# Asked for every file: statements that stay are made ready once.
_OF_JOB: BindParameter[str] = bindparam("of_job")
_LOCKED_STATE = select(jobs.c.state).where(jobs.c.job_id == _OF_JOB).with_for_update()
_STILL_OPEN = exists().where(items.c.job_id == _OF_JOB, items.c.state.in_(sorted(OPEN_ITEM_STATES)))
_END = (
    update(jobs)
    .where(jobs.c.job_id == _OF_JOB, jobs.c.state == JobState.RUNNING, ~_STILL_OPEN)
    .values(state=JobState.DONE)
)


def lock_job(connection: Connection, job_id: str) -> str | None:
    """Keep others from changing a job until commit; return its state, None if there is no such job."""
    return connection.scalar(_LOCKED_STATE, {"of_job": job_id})


def end_if_complete(connection: Connection, job_id: str) -> None:
    """End a running job that has no open items."""
    connection.execute(_END, {"of_job": job_id})


def give_up(connection: Connection, wanted: ColumnElement[bool], reason: str, now: float) -> int:
    """Fail open items, forget their patients, and end the jobs that are complete with that.

    Parameters
    ----------
    connection : Connection
        In a transaction that writes.
    wanted : condition
        On items.
    reason : str
        Why; kept on each item.
    now : float
        Time to note on the jobs.

    Returns
    -------
    int
        How many items.
    """
    still_open = items.c.state.in_(sorted(OPEN_ITEM_STATES))
    of_jobs = select(items.c.job_id).where(wanted, still_open).distinct()
    job_ids = sorted(connection.scalars(of_jobs))
    for job_id in job_ids:
        # A worker that ends the last other item of a job at once would see these as still open.
        lock_job(connection, job_id)
    failed = (
        update(items)
        .where(wanted, still_open, items.c.job_id.in_(job_ids))
        .values(state=ItemState.FAILED, reason=reason, patient_key=None)
    )
    count = connection.execute(failed).rowcount if job_ids else 0
    for job_id in job_ids:
        connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(updated_at=now))
        end_if_complete(connection, job_id)
    return count
