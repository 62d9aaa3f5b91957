"""Jobs as one request sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from hmar.errors import ForbiddenError
from hmar.narrowed.selecting import seen
from hmar.ports import JobStore
from hmar.uploads import UPLOAD
from hmar.values.access import Access
from hmar.values.deletion import Collections
from hmar.values.entries import Origin
from hmar.values.jobs import Item, ItemState, Job, JobRequest, JobState, Message, QueueLoad, SentAs


class NarrowedJobs:
    """A :class:`hmar.ports.JobStore` without the jobs of collections that the current request does not see.

    What workers do with items is passed on as it is: no request names an item by its id.

    Parameters
    ----------
    jobs : JobStore
    access : callable
        Returns the access of the current request.
    """

    def __init__(self, jobs: JobStore, access: Callable[[], Access]) -> None:
        self._jobs = jobs
        self._access = access

    def create(
        self,
        collection: str,
        origin: Origin,
        references: Sequence[str] | None = None,
        label: str | None = None,
        patients: Mapping[str, str] | None = None,
        sent: Mapping[str, SentAs] | None = None,
        request: JobRequest | None = None,
    ) -> str:
        """Create a job and return its id.

        Raises
        ------
        ForbiddenError
            For a collection that is not seen; and for a folder of the server, whose images belong to any
            collection, where not all are seen.
        """
        self._access().require_collection(collection)
        self._require_folders(origin)
        return self._jobs.create(collection, origin, references, label, patients, sent, request)

    def asked_before(self, request: JobRequest) -> str | None:
        """Return the job that the same request has created; requests tell who sent them."""
        return self._jobs.asked_before(request)

    def job(self, job_id: str) -> Job | None:
        """Return a job that is seen, with its counts."""
        job = self._jobs.job(job_id)
        return job if job is not None and self._sees(job) else None

    def items(self, job_id: str, states: Collection[ItemState], limit: int, after: int = 0) -> list[Item]:
        """Return the items of a job that is seen; of any other, none."""
        return [item for item in self._jobs.items(job_id, states, limit, after) if self._sees(item)]

    def listed(
        self,
        states: Collection[JobState],
        limit: int,
        after: str | None = None,
        collection: Collections = None,
    ) -> list[Job]:
        """Return jobs that are seen, newest first."""
        return self._jobs.listed(states, limit, after, seen(self._access().identity, collection))

    def cancel(self, job_id: str) -> None:
        """End a job that is seen; any other stays as it is.

        Raises
        ------
        ForbiddenError
            For a job that indexes under another model, where not all collections are seen: one model serves
            all of them.
        """
        job = self.job(job_id)
        if job is None:
            return
        if job.model is not None and self._access().identity.collections is not None:
            raise ForbiddenError(
                "This key or login is limited to collections, and may not end a move to another model.",
                "Use a key for all collections.",
            )
        self._jobs.cancel(job_id)

    def retry(self, job_id: str) -> None:
        """Put the failed and dead items of a job that is seen back to queued.

        Raises
        ------
        ForbiddenError
            For a job over a folder of the server, where not all collections are seen.
        """
        job = self.job(job_id)
        if job is not None:
            self._require_folders(job.origin)
            self._jobs.retry(job_id)

    def forget_names(self, older_than_s: float) -> int:
        """Forget the names of sent files, of anybody's."""
        return self._jobs.forget_names(older_than_s)

    def unfinished(self, states: Collection[JobState]) -> list[Job]:
        """Return the jobs in the given states that are seen, oldest first."""
        return [job for job in self._jobs.unfinished(states) if self._sees(job)]

    def add_items(self, job_id: str, references: Sequence[str]) -> list[int]:
        """Add items and return the ids of all items of the job."""
        return self._jobs.add_items(job_id, references)

    def fail_job(self, job_id: str, reason: str) -> None:
        """End a job that is not finished."""
        self._jobs.fail_job(job_id, reason)

    def claim(self, item_id: int, lease_s: float, max_attempts: int) -> Item | None:
        """Take an item."""
        return self._jobs.claim(item_id, lease_s, max_attempts)

    def finish(self, item_id: int, state: ItemState, frames: int, reason: str | None = None) -> None:
        """Record how an item ended."""
        self._jobs.finish(item_id, state, frames, reason)

    def renew(self, item_id: int, lease_s: float) -> None:
        """Extend the lease of a running item."""
        self._jobs.renew(item_id, lease_s)

    def release(self, item_id: int, reason: str, counted: bool = True) -> None:
        """Put a running item back to queued."""
        self._jobs.release(item_id, reason, counted)

    def rebase_leases(self, lease_s: float, all_running: bool) -> None:
        """Let leases of running items end ``lease_s`` from now."""
        self._jobs.rebase_leases(lease_s, all_running)

    def finished_with(self, origins: Collection[Origin]) -> set[Origin]:
        """Return the origins that no open item of anybody refers to."""
        return self._jobs.finished_with(origins)

    def overdue(self, queued_for_s: float) -> list[Message]:
        """Return a message for each job and item that has stalled."""
        return self._jobs.overdue(queued_for_s)

    def load(self) -> QueueLoad:
        """Return how much waits in all collections: no request's view tells it."""
        return self._jobs.load()

    def _require_folders(self, origin: Origin) -> None:
        if self._access().identity.collections is not None and origin.source != UPLOAD:
            raise ForbiddenError(
                "This key or login is limited to collections, and may not index folders or a PACS.",
                "Send the files with the request, or use a key for all collections.",
            )

    def _sees(self, found: Job | Item) -> bool:
        return self._access().identity.sees(found.collection)
