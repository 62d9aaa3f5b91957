"""Index jobs of an archive on this machine, with the verbs of :class:`hmar.Client`."""

from __future__ import annotations

from collections.abc import Iterator

from hmar.errors import NotFoundError, shown
from hmar.indexing.following import follow
from hmar.values.jobs import Item, ItemState, Job, JobProgress, JobState
from hmar.wiring import Engine

PAGE = 1000


class ArchiveJobs:
    """The index jobs of an archive.

    Parameters
    ----------
    engine : Engine
        Its queue reaches the workers, if there are any.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def jobs(self, state: JobState | None = None, collection: str | None = None) -> Iterator[Job]:
        """Yield the index jobs, newest first: all, or those in one state or of one collection."""
        states = tuple(JobState) if state is None else (state,)
        after: str | None = None
        while page := self._engine.jobs.listed(states, PAGE, after, collection):
            yield from page
            after = page[-1].job_id

    def job(self, job_id: str) -> Job:
        """Return how far a job is; raises NotFoundError if there is none."""
        job = self._engine.jobs.job(job_id)
        if job is None:
            raise NotFoundError(f"There is no job {shown(job_id)}.", "See 'hmar jobs list'.")
        return job

    def items(self, job_id: str, state: ItemState | None = None) -> Iterator[Item]:
        """Yield the files of a job, or those in one state, in order of their ids."""
        states = tuple(ItemState) if state is None else (state,)
        after = 0
        while page := self._engine.jobs.items(self.job(job_id).job_id, states, PAGE, after):
            yield from page
            after = page[-1].item_id

    def cancel(self, job_id: str) -> Job:
        """End a job before its time, and return it; what is indexed stays. Raises NotFoundError."""
        self.job(job_id)
        self._engine.indexer.cancel(job_id)
        return self.job(job_id)

    def retry(self, job_id: str) -> Job:
        """Put what failed of a folder's job back, and return the job, which goes on when a worker runs.

        Raises
        ------
        NotFoundError
            If there is no such job.
        ConflictError
            If it was cancelled, or is over files that were given one by one.
        """
        self.job(job_id)
        self._engine.indexer.retry(job_id)
        return self.job(job_id)

    def follow(self, job_id: str) -> Iterator[JobProgress]:
        """Yield the progress of a job as it goes on, until it has ended; raises NotFoundError."""
        return follow(lambda: self.job(job_id))
