"""Requests for jobs that may come again: which job each has created."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, or_, select

from hmar.adapters.common.jobs import another_request
from hmar.adapters.sql.schema import job_requests
from hmar.values.jobs import REQUESTS_KEPT_S, JobRequest


def job_of(connection: Connection, request: JobRequest, now: float) -> str | None:
    """Return the job that the same request has created lately, None if there is none.

    Raises
    ------
    ConflictError
        If a request of the same key has asked for something else.
    """
    query = select(job_requests.c.content_sha256, job_requests.c.job_id).where(
        job_requests.c.key_sha256 == request.key,
        # One in the future was made before the clock was set back.
        job_requests.c.created_at.between(now - REQUESTS_KEPT_S, now + REQUESTS_KEPT_S),
    )
    found = connection.execute(query).first()
    if found is None:
        return None
    if found.content_sha256 != request.content:
        raise another_request()
    return str(found.job_id)


def keep_request(connection: Connection, request: JobRequest, job_id: str, now: float) -> None:
    """Keep which job a request has created, and forget those that are too old."""
    created_at = job_requests.c.created_at
    old = or_(created_at < now - REQUESTS_KEPT_S, created_at > now + REQUESTS_KEPT_S)
    connection.execute(delete(job_requests).where(old))
    connection.execute(
        insert(job_requests),
        {
            "key_sha256": request.key,
            "content_sha256": request.content,
            "job_id": job_id,
            "created_at": now,
        },
    )
