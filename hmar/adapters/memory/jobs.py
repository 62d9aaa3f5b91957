"""Jobs in memory."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from hmar.adapters.common.jobs import another_request, check_final, dead_reason, job_not_found
from hmar.values.deletion import Collections, among
from hmar.values.entries import Origin
from hmar.values.jobs import (
    FINAL_ITEM_STATES,
    JOB_CANCELLED,
    OPEN_JOB_STATES,
    REQUESTS_KEPT_S,
    TRIED_AGAIN,
    Item,
    ItemState,
    Job,
    JobRequest,
    JobState,
    Message,
    QueueLoad,
    SentAs,
    model_of,
)


@dataclass(slots=True)
class _Job:
    collection: str
    origin: Origin
    state: JobState
    created_at: float
    updated_at: float
    queued_at: float
    label: str | None
    reason: str | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN_JOB_STATES


@dataclass(slots=True)
class _Item:
    item_id: int
    job_id: str
    reference: str
    queued_at: float
    patient_key: str | None
    sent_as: SentAs | None
    state: ItemState = ItemState.QUEUED
    attempts: int = 0
    lease_until: float = 0.0
    frames: int = 0
    reason: str | None = None


class MemoryJobStore:
    """A :class:`hmar.ports.JobStore` that lives as long as the process. Thread-safe.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, _Job] = {}
        self._items: dict[int, _Item] = {}
        self._requests: dict[str, tuple[JobRequest, str]] = {}

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
        """Create a job and return its id, or that of the job which the same request has created."""
        with self._lock:
            known = None if request is None else self.asked_before(request)
            if known is not None:
                return known
            job_id, now = uuid.uuid4().hex, self._clock()
            self._jobs[job_id] = _Job(collection, origin, JobState.QUEUED, now, now, now, label)
            if references is not None:
                self._add_items(job_id, references, patients or {}, sent or {})
            if request is not None:
                self._requests[request.key] = (request, job_id)
        return job_id

    def asked_before(self, request: JobRequest) -> str | None:
        """Return the job that the same request has created, None if there is none."""
        with self._lock:
            before, job_id = self._requests.get(request.key, (request, ""))
            if not job_id or abs(self._clock() - self._jobs[job_id].created_at) > REQUESTS_KEPT_S:
                return None
            if before.content != request.content:
                raise another_request()
            return job_id

    def asked_for(self, collection: str, source: str) -> set[str]:
        """Return the references of all items of a collection's jobs over a source."""
        with self._lock:
            return {
                item.reference
                for item in self._items.values()
                if (job := self._jobs[item.job_id]).collection == collection and job.origin.source == source
            }

    def add_items(self, job_id: str, references: Sequence[str]) -> list[int]:
        """Add items that are not there yet and set the job running; return the ids of all its items."""
        return self._add_items(job_id, references, {}, {})

    def _add_items(
        self,
        job_id: str,
        references: Sequence[str],
        patients: Mapping[str, str],
        sent: Mapping[str, SentAs],
    ) -> list[int]:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                raise job_not_found(job_id)
            if job.open:
                self._add_missing(job_id, references, patients, sent)
                job.state, job.updated_at = JobState.RUNNING, self._clock()
                self._end_if_complete(job_id)
            return [item.item_id for item in self._of(job_id)]

    def _add_missing(
        self,
        job_id: str,
        references: Sequence[str],
        patients: Mapping[str, str],
        sent: Mapping[str, SentAs],
    ) -> None:
        known = {item.reference for item in self._of(job_id)}
        for reference in dict.fromkeys(references):
            if reference not in known:
                item_id = len(self._items) + 1
                self._items[item_id] = _Item(
                    item_id, job_id, reference, self._clock(), patients.get(reference), sent.get(reference)
                )

    def fail_job(self, job_id: str, reason: str) -> None:
        """End a job, and its open items with it; their patients are forgotten."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or not job.open:
                return
            job.state, job.reason, job.updated_at = JobState.FAILED, reason, self._clock()
            for item in self._of(job_id):
                if item.state not in FINAL_ITEM_STATES:
                    item.state, item.reason, item.patient_key = ItemState.FAILED, reason, None

    def cancel(self, job_id: str) -> None:
        """End a job that is open: nothing more of it is begun."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or not job.open:
                return
            job.state, job.reason, job.updated_at = JobState.CANCELLED, JOB_CANCELLED, self._clock()
            for item in self._of(job_id):
                if item.state is ItemState.QUEUED:
                    item.state, item.reason, item.patient_key = ItemState.CANCELLED, JOB_CANCELLED, None

    def retry(self, job_id: str) -> None:
        """Put the failed and dead items of a job back to queued, with all their attempts."""
        with self._lock:
            job, now = self._jobs.get(job_id), self._clock()
            if job is None or job.state is JobState.CANCELLED:
                return
            again = [item for item in self._of(job_id) if item.state in TRIED_AGAIN]
            for item in again:
                item.state, item.attempts, item.frames = ItemState.QUEUED, 0, 0
                item.reason, item.queued_at = None, now
            if job.state is JobState.FAILED or (again and job.state is JobState.DONE):
                job.state = JobState.QUEUED if job.state is JobState.FAILED else JobState.RUNNING
                job.reason, job.updated_at, job.queued_at = None, now, now

    def claim(self, item_id: int, lease_s: float, max_attempts: int) -> Item | None:
        """Take an item that is queued, or running with its lease over; None if there is nothing to do."""
        with self._lock:
            item, now = self._items.get(item_id), self._clock()
            if item is None:
                return None
            if not _claimable(item, now):
                item.lease_until = min(item.lease_until, now + lease_s)
                return None
            if self._jobs[item.job_id].state is JobState.CANCELLED:
                self._end_item(item, ItemState.CANCELLED, 0, JOB_CANCELLED)
                return None
            if item.attempts >= max_attempts:
                self._end_item(item, ItemState.DEAD, 0, dead_reason(item.attempts, item.reason))
                return None
            item.state, item.lease_until = ItemState.RUNNING, now + lease_s
            item.attempts += 1
            return self._public(item)

    def finish(self, item_id: int, state: ItemState, frames: int, reason: str | None = None) -> None:
        """Record how an item ended, once; ends the job when it was the last one."""
        check_final(state)
        with self._lock:
            item = self._items.get(item_id)
            if item is not None and item.state not in FINAL_ITEM_STATES:
                self._end_item(item, state, frames, reason)

    def renew(self, item_id: int, lease_s: float) -> None:
        """Extend the lease of a running item from now; an item that is not running stays as it is."""
        with self._lock:
            item = self._items.get(item_id)
            if item is not None and item.state is ItemState.RUNNING:
                item.lease_until = self._clock() + lease_s

    def release(self, item_id: int, reason: str, counted: bool = True) -> None:
        """Put a running item back to queued, from now, and keep why; its attempt stays counted, or not."""
        with self._lock:
            item = self._items.get(item_id)
            if item is not None and item.state is ItemState.RUNNING:
                cancelled = self._jobs[item.job_id].state is JobState.CANCELLED
                item.state = ItemState.CANCELLED if cancelled else ItemState.QUEUED
                item.queued_at, item.reason = self._clock(), reason
                item.attempts -= not counted

    def rebase_leases(self, lease_s: float, all_running: bool) -> None:
        """Let leases of running items end ``lease_s`` from now: those that end later, or all of them."""
        with self._lock:
            until = self._clock() + lease_s
            for item in self._items.values():
                if item.state is ItemState.RUNNING and (all_running or item.lease_until > until):
                    item.lease_until = until

    def _end_item(self, item: _Item, state: ItemState, frames: int, reason: str | None) -> None:
        item.state, item.frames, item.reason = state, frames, reason
        self._jobs[item.job_id].updated_at = self._clock()
        self._end_if_complete(item.job_id)

    def _end_if_complete(self, job_id: str) -> None:
        job = self._jobs[job_id]
        if job.state is JobState.RUNNING and all(
            item.state in FINAL_ITEM_STATES for item in self._of(job_id)
        ):
            job.state = JobState.DONE

    def job(self, job_id: str) -> Job | None:
        """Return a job with its counts."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return None
            counts = dict.fromkeys(ItemState, 0)
            for item in self._of(job_id):
                counts[item.state] += 1
            frames = sum(item.frames for item in self._of(job_id))
            return Job(
                job_id,
                job.collection,
                job.origin,
                job.state,
                job.created_at,
                job.updated_at,
                counts,
                frames,
                job.reason,
                job.label,
            )

    def items(self, job_id: str, states: Collection[ItemState], limit: int, after: int = 0) -> list[Item]:
        """Return a job's items in the given states, in order of id, ids above ``after``."""
        with self._lock:
            found = [i for i in self._of(job_id) if i.state in states and i.item_id > after]
            return [self._public(item) for item in found[:limit]]

    def listed(
        self,
        states: Collection[JobState],
        limit: int,
        after: str | None = None,
        collection: Collections = None,
    ) -> list[Job]:
        """Return jobs in the given states, newest first; with ``after`` those that follow that job."""
        with self._lock:
            order = {job_id: (job.created_at, job_id) for job_id, job in self._jobs.items()}
            wanted = [
                job_id
                for job_id in sorted(order, key=order.__getitem__, reverse=True)
                if self._jobs[job_id].state in states
                and among(self._jobs[job_id].collection, collection)
                and (after is None or (after in order and order[job_id] < order[after]))
            ]
            return [job for job_id in wanted[:limit] if (job := self.job(job_id)) is not None]

    def forget_names(self, older_than_s: float) -> int:
        """Forget the names of sent files whose job was created longer ago; return how many."""
        with self._lock:
            oldest, forgotten = self._clock() - older_than_s, 0
            for item in self._items.values():
                if item.sent_as and item.sent_as.name and self._jobs[item.job_id].created_at < oldest:
                    item.sent_as, forgotten = SentAs(item.sent_as.number), forgotten + 1
            return forgotten

    def unfinished(self, states: Collection[JobState]) -> list[Job]:
        """Return the jobs in the given states, oldest first."""
        with self._lock:
            jobs = [self.job(job_id) for job_id, job in self._jobs.items() if job.state in states]
        return sorted((job for job in jobs if job), key=lambda job: (job.created_at, job.job_id))

    def finished_with(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that items refer to, all of which have ended."""
        with self._lock:
            named = {True: set[Origin](), False: set[Origin]()}
            for item in self._items.values():
                source = self._jobs[item.job_id].origin.source
                named[item.state in FINAL_ITEM_STATES].add(Origin(source, item.reference))
            return (named[True] - named[False]) & set(origins)

    def overdue(self, queued_for_s: float) -> list[Message]:
        """Return a message for each job and item that has stalled; each counts as queued from now on."""
        with self._lock:
            now = self._clock()
            messages = []
            for job_id, job in self._jobs.items():
                if job.state is JobState.QUEUED and abs(now - job.queued_at) > queued_for_s:
                    job.queued_at = now
                    messages.append(Message("expand", job_id))
            for item in self._items.values():
                late = item.state is ItemState.QUEUED and abs(now - item.queued_at) > queued_for_s
                if late or (item.state is ItemState.RUNNING and item.lease_until <= now):
                    item.state, item.queued_at = ItemState.QUEUED, now
                    messages.append(Message("item", str(item.item_id)))
            return messages

    def load(self) -> QueueLoad:
        """Return how much waits, and since when."""
        with self._lock:
            unlisted = [job for job in self._jobs.values() if job.state is JobState.QUEUED]
            queued = [item for item in self._items.values() if item.state is ItemState.QUEUED]
            running = sum(item.state is ItemState.RUNNING for item in self._items.values())
            waiting = [*unlisted, *(self._jobs[item.job_id] for item in queued)]
            oldest = min((job.created_at for job in waiting), default=self._clock())
            return QueueLoad(len(unlisted), len(queued), running, max(0.0, self._clock() - oldest))

    def _of(self, job_id: str) -> list[_Item]:
        return [item for item in self._items.values() if item.job_id == job_id]

    def _public(self, item: _Item) -> Item:
        job = self._jobs[item.job_id]
        origin = Origin(job.origin.source, item.reference)
        return Item(
            item.item_id,
            item.job_id,
            job.collection,
            origin,
            item.state,
            item.attempts,
            item.frames,
            item.reason,
            job.label,
            item.patient_key,
            item.sent_as,
            model_of(job.origin),
        )


def _claimable(item: _Item, now: float) -> bool:
    if item.state is ItemState.RUNNING:
        return item.lease_until <= now
    return item.state is ItemState.QUEUED
