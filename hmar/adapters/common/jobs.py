"""What every job store does alike."""

from __future__ import annotations

from hmar.errors import ConflictError, NotFoundError
from hmar.values.jobs import FINAL_ITEM_STATES, ItemState


def dead_reason(attempts: int, last_reason: str | None) -> str:
    """Say why an item is given up; ``last_reason`` is what an earlier attempt left, if it left any."""
    given_up = f"Given up after {attempts} attempts; the last worker fell silent."
    return f"{given_up} Before that: {last_reason}" if last_reason else given_up


def check_final(state: ItemState) -> None:
    """Raise ValueError for a state that is not final."""
    if state not in FINAL_ITEM_STATES:
        raise ValueError(f"an item cannot finish as {state!r}")


def job_not_found(job_id: str) -> NotFoundError:
    """Return the error for a job that the store does not hold."""
    return NotFoundError(f"There is no job {job_id!r}.", "Use the id that creating the job returned.")


def another_request() -> ConflictError:
    """Return the error for a request whose key has asked for another job before."""
    return ConflictError(
        "The Idempotency-Key came with another request in the last 24 hours.",
        "Make a new key for each new request, and repeat a request exactly.",
    )
