"""Jobs in SQL."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from hmar.adapters.common.jobs import check_final, dead_reason, job_not_found
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.deleting import of_collections
from hmar.adapters.sql.ending import end_if_complete, give_up, lock_job
from hmar.adapters.sql.job_requests import job_of, keep_request
from hmar.adapters.sql.log_rows import lock
from hmar.adapters.sql.parts import parts
from hmar.adapters.sql.schema import items, jobs
from hmar.adapters.sql.steering import cancel, of_cancelled_job, retry
from hmar.values.deletion import Collections
from hmar.values.entries import Origin
from hmar.values.jobs import (
    JOB_CANCELLED,
    OPEN_ITEM_STATES,
    OPEN_JOB_STATES,
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


class SqlJobStore:
    """A :class:`hmar.ports.JobStore` in a database. Safe between threads and between processes.

    Parameters
    ----------
    database : Database
        Migrated.
    clock : callable
        Returns the time in seconds since the epoch; of one machine, or of machines whose clocks agree to
        much less than a lease.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

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
        job_id, now = uuid.uuid4().hex, self._clock()
        row = {
            "job_id": job_id,
            "collection": collection,
            "origin_source": origin.source,
            "origin_reference": origin.reference,
            "state": JobState.QUEUED,
            "created_at": now,
            "updated_at": now,
            "queued_at": now,
            "label": label,
        }
        with self._database.write() as connection:
            if request is not None:
                # Of two that come at once the second waits here, and finds the job of the first.
                lock(connection)
                known = job_of(connection, request, now)
                if known is not None:
                    return known
            connection.execute(insert(jobs), row)
            if references is not None:
                self._list(connection, job_id, references, patients or {}, sent or {})
            if request is not None:
                keep_request(connection, request, job_id, now)
        return job_id

    def asked_before(self, request: JobRequest) -> str | None:
        """Return the job that the same request has created, None if there is none."""
        with self._database.read() as connection:
            return job_of(connection, request, self._clock())

    def add_items(self, job_id: str, references: Sequence[str]) -> list[int]:
        """Add items that are not there yet and set the job running; return the ids of all its items."""
        with self._database.write() as connection:
            state = lock_job(connection, job_id)
            if state is None:
                raise job_not_found(job_id)
            if state in OPEN_JOB_STATES:
                self._list(connection, job_id, references, {}, {})
            of_job = select(items.c.item_id).where(items.c.job_id == job_id).order_by(items.c.item_id)
            return list(connection.scalars(of_job))

    def _list(
        self,
        connection: Connection,
        job_id: str,
        references: Sequence[str],
        patients: Mapping[str, str],
        sent: Mapping[str, SentAs],
    ) -> None:
        known = set(connection.scalars(select(items.c.reference).where(items.c.job_id == job_id)))
        now = self._clock()
        new = [
            {
                "job_id": job_id,
                "reference": reference,
                "state": ItemState.QUEUED,
                "attempts": 0,
                "frames": 0,
                "queued_at": now,
                "lease_until": 0.0,
                "patient_key": patients.get(reference),
                "sent_number": sent[reference].number if reference in sent else None,
                "sent_name": sent[reference].name if reference in sent else None,
            }
            for reference in dict.fromkeys(references)
            if reference not in known
        ]
        if new:
            connection.execute(insert(items), new)
        connection.execute(
            update(jobs).where(jobs.c.job_id == job_id).values(state=JobState.RUNNING, updated_at=now)
        )
        end_if_complete(connection, job_id)

    def fail_job(self, job_id: str, reason: str) -> None:
        """End a job, and its open items with it; their patients are forgotten."""
        unfinished = jobs.c.state.in_(sorted(OPEN_JOB_STATES))
        now = self._clock()
        failed = (
            update(jobs)
            .where(jobs.c.job_id == job_id, unfinished)
            .values(state=JobState.FAILED, reason=reason, updated_at=now)
        )
        with self._database.write() as connection:
            if connection.execute(failed).rowcount:
                give_up(connection, items.c.job_id == job_id, reason, now)

    def cancel(self, job_id: str) -> None:
        """End a job that is open: nothing more of it is begun."""
        with self._database.write() as connection:
            cancel(connection, job_id, self._clock())

    def retry(self, job_id: str) -> None:
        """Put the failed and dead items of a job back to queued, with all their attempts."""
        with self._database.write() as connection:
            retry(connection, job_id, self._clock())

    def claim(self, item_id: int, lease_s: float, max_attempts: int) -> Item | None:
        """Take an item that is queued, or running with its lease over; None if there is nothing to do."""
        now = self._clock()
        asked = {"of_item": item_id, "now": now, "most": max_attempts, "until": now + lease_s}
        with self._database.write() as connection:
            if connection.execute(_TAKE, asked).rowcount:
                return _item(connection.execute(_ITEM, {"of_item": item_id}).one())
            free = and_(items.c.item_id == item_id, _claimable(now))
            left = select(items.c.attempts, items.c.reason, of_cancelled_job().label("cancelled")).where(free)
            spent = connection.execute(left).first()
            if spent is not None:
                state = ItemState.CANCELLED if spent.cancelled else ItemState.DEAD
                reason = JOB_CANCELLED if spent.cancelled else dead_reason(spent.attempts, spent.reason)
                self._end_item(connection, item_id, _END_CLAIMABLE, state, 0, reason, now)
            else:
                _rebase(connection, items.c.item_id == item_id, now + lease_s)
            return None

    def finish(self, item_id: int, state: ItemState, frames: int, reason: str | None = None) -> None:
        """Record how an item ended, once; ends the job when it was the last one."""
        check_final(state)
        with self._database.write() as connection:
            self._end_item(connection, item_id, _END_OPEN, state, frames, reason)

    def renew(self, item_id: int, lease_s: float) -> None:
        """Extend the lease of a running item from now; an item that is not running stays as it is."""
        self._change_running(item_id, lease_until=self._clock() + lease_s)

    def release(self, item_id: int, reason: str, counted: bool = True) -> None:
        """Put a running item back to queued, from now, and keep why; its attempt stays counted, or not."""
        self._change_running(
            item_id,
            state=case((of_cancelled_job(), ItemState.CANCELLED), else_=ItemState.QUEUED),
            queued_at=self._clock(),
            reason=reason,
            attempts=items.c.attempts - (0 if counted else 1),
        )

    def rebase_leases(self, lease_s: float, all_running: bool) -> None:
        """Let leases of running items end ``lease_s`` from now: those that end later, or all of them."""
        until = self._clock() + lease_s
        with self._database.write() as connection:
            if all_running:
                running = items.c.state == ItemState.RUNNING
                connection.execute(update(items).where(running).values(lease_until=until))
            else:
                _rebase(connection, true(), until)

    def _change_running(self, item_id: int, **values: object) -> None:
        running = and_(items.c.item_id == item_id, items.c.state == ItemState.RUNNING)
        with self._database.write() as connection:
            connection.execute(update(items).where(running).values(**values))

    def _end_item(
        self,
        connection: Connection,
        item_id: int,
        end: Update,
        state: ItemState,
        frames: int,
        reason: str | None,
        now: float | None = None,
    ) -> None:
        job_id = connection.scalar(_JOB_OF, {"of_item": item_id})
        if job_id is None:
            return
        # Of two workers that end the last two items at once, each would see the other's as still open.
        lock_job(connection, job_id)
        ended = {"of_item": item_id, "ended": state, "got": frames, "why": reason}
        if connection.execute(end, ended if now is None else {**ended, "now": now}).rowcount:
            connection.execute(_TOUCH, {"of_job": job_id, "at": self._clock()})
            end_if_complete(connection, job_id)

    def job(self, job_id: str) -> Job | None:
        """Return a job with its counts."""
        found = self._jobs(jobs.c.job_id == job_id)
        return found[0] if found else None

    def items(self, job_id: str, states: Collection[ItemState], limit: int, after: int = 0) -> list[Item]:
        """Return a job's items in the given states, in order of id, ids above ``after``."""
        query = (
            _ITEMS.where(items.c.job_id == job_id, items.c.item_id > after, items.c.state.in_(sorted(states)))
            .order_by(items.c.item_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_item(row) for row in connection.execute(query)]

    def listed(
        self,
        states: Collection[JobState],
        limit: int,
        after: str | None = None,
        collection: Collections = None,
    ) -> list[Job]:
        """Return jobs in the given states, newest first; with ``after`` those that follow that job."""
        created_at, job_id = jobs.c.created_at, jobs.c.job_id
        query = (
            select(job_id)
            .where(jobs.c.state.in_(sorted(states)), of_collections(jobs, collection))
            .order_by(created_at.desc(), job_id.desc())
            .limit(limit)
        )
        if after is not None:
            place = select(created_at).where(job_id == after).scalar_subquery()
            query = query.where(or_(created_at < place, and_(created_at == place, job_id < after)))
        with self._database.read() as connection:
            wanted = list(connection.scalars(query))
        found = {job.job_id: job for job in self._jobs(job_id.in_(wanted))}
        return [found[one] for one in wanted]

    def forget_names(self, older_than_s: float) -> int:
        """Forget the names of sent files whose job was created longer ago; return how many."""
        old = exists().where(
            jobs.c.job_id == items.c.job_id, jobs.c.created_at < self._clock() - older_than_s
        )
        forgotten = update(items).where(items.c.sent_name.is_not(None), old).values(sent_name=None)
        with self._database.write() as connection:
            return connection.execute(forgotten).rowcount

    def unfinished(self, states: Collection[JobState]) -> list[Job]:
        """Return the jobs in the given states, oldest first."""
        return self._jobs(jobs.c.state.in_(sorted(states)))

    def _jobs(self, wanted: ColumnElement[bool]) -> list[Job]:
        tally = (
            select(items.c.job_id, items.c.state, func.count(), func.sum(items.c.frames))
            .join(jobs, jobs.c.job_id == items.c.job_id)
            .where(wanted)
            .group_by(items.c.job_id, items.c.state)
        )
        with self._database.read() as connection:
            # PostgreSQL shows each statement of a transaction the latest commit: a job that is read before
            # its items is never ahead of them.
            rows = connection.execute(
                select(jobs).where(wanted).order_by(jobs.c.created_at, jobs.c.job_id)
            ).all()
            tallies = connection.execute(tally).all()
        counts = {row.job_id: dict.fromkeys(ItemState, 0) for row in rows}
        frames = dict.fromkeys(counts, 0)
        for job_id, state, number, frames_of_state in tallies:
            if job_id in counts:
                counts[job_id][ItemState(state)] = number
                frames[job_id] += int(frames_of_state)
        return [_job(row, counts[row.job_id], frames[row.job_id]) for row in rows]

    def finished_with(self, origins: Collection[Origin]) -> set[Origin]:
        """Return those of some origins that items refer to, all of which have ended."""
        still_open = func.sum(case((items.c.state.in_(OPEN_ITEM_STATES), 1), else_=0))
        query = (
            select(jobs.c.origin_source, items.c.reference)
            .join(jobs, jobs.c.job_id == items.c.job_id)
            .group_by(jobs.c.origin_source, items.c.reference)
            .having(still_open == 0)
        )
        found: set[Origin] = set()
        with self._database.read() as connection:
            for some in parts(sorted({origin.reference for origin in origins})):
                rows = connection.execute(query.where(items.c.reference.in_(some)))
                found.update(Origin(*row) for row in rows)
        return found & set(origins)

    def overdue(self, queued_for_s: float) -> list[Message]:
        """Return a message for each job and item that has stalled; each counts as queued from now on."""
        now = self._clock()
        stale_jobs = and_(jobs.c.state == JobState.QUEUED, _far(jobs.c.queued_at, now, queued_for_s))
        late = and_(items.c.state == ItemState.QUEUED, _far(items.c.queued_at, now, queued_for_s))
        stale_items = or_(late, _lease_over(now))
        with self._database.write() as connection:
            job_rows = connection.execute(
                update(jobs)
                .where(stale_jobs)
                .values(queued_at=now)
                .returning(jobs.c.created_at, jobs.c.job_id)
            ).all()
            item_ids = connection.scalars(
                update(items)
                .where(stale_items)
                .values(state=ItemState.QUEUED, queued_at=now)
                .returning(items.c.item_id)
            ).all()
        return [
            *(Message("expand", job_id) for _, job_id in sorted(tuple(row) for row in job_rows)),
            *(Message("item", str(item_id)) for item_id in sorted(item_ids)),
        ]

    def load(self) -> QueueLoad:
        """Return how much waits, and since when."""
        open_items = (
            select(items.c.state, func.count())
            .where(items.c.state.in_(sorted(OPEN_ITEM_STATES)))
            .group_by(items.c.state)
        )
        unlisted = select(func.count(), func.min(jobs.c.created_at)).where(jobs.c.state == JobState.QUEUED)
        waiting = select(items.c.item_id).where(
            items.c.job_id == jobs.c.job_id, items.c.state == ItemState.QUEUED
        )
        oldest = select(func.min(jobs.c.created_at)).where(jobs.c.state == JobState.RUNNING, waiting.exists())
        with self._database.read() as connection:
            counts = {state: int(count) for state, count in connection.execute(open_items)}
            unlisted_jobs, first_unlisted = connection.execute(unlisted).one()
            first_waiting = connection.scalar(oldest)
        begun = [at for at in (first_unlisted, first_waiting) if at is not None]
        return QueueLoad(
            int(unlisted_jobs),
            counts.get(ItemState.QUEUED, 0),
            counts.get(ItemState.RUNNING, 0),
            max(0.0, self._clock() - min(begun)) if begun else 0.0,
        )


_ITEMS = select(
    items, jobs.c.collection, jobs.c.origin_source, jobs.c.label, jobs.c.origin_reference.label("of_job")
).join(jobs, jobs.c.job_id == items.c.job_id)


def _lease_over(now: float | BindParameter[float]) -> ColumnElement[bool]:
    return and_(items.c.state == ItemState.RUNNING, items.c.lease_until <= now)


def _far(time: ColumnElement[float], now: float, seconds: float) -> ColumnElement[bool]:
    """Whether a time lies further from now than this; one in the future was noted before a clock was set."""
    return or_(time < now - seconds, time > now + seconds)


def _rebase(connection: Connection, wanted: ColumnElement[bool], until: float) -> None:
    """Let the leases of running items end at ``until`` where they end later."""
    running = and_(wanted, items.c.state == ItemState.RUNNING, items.c.lease_until > until)
    connection.execute(update(items).where(running).values(lease_until=until))


def _claimable(now: float | BindParameter[float]) -> ColumnElement[bool]:
    return or_(items.c.state == ItemState.QUEUED, _lease_over(now))


# Asked for every file: statements that stay are made ready once.
_OF_ITEM = items.c.item_id == bindparam("of_item")
_ITEM = _ITEMS.where(_OF_ITEM)
_JOB_OF = select(items.c.job_id).where(_OF_ITEM)
_TAKE = (
    update(items)
    .where(
        _OF_ITEM,
        _claimable(bindparam("now")),
        items.c.attempts < bindparam("most"),
        ~of_cancelled_job(),
    )
    .values(state=ItemState.RUNNING, attempts=items.c.attempts + 1, lease_until=bindparam("until"))
)
_ENDED: dict[str, BindParameter[Any]] = {
    "state": bindparam("ended"),
    "frames": bindparam("got"),
    "reason": bindparam("why"),
}
_END_OPEN = update(items).where(_OF_ITEM, items.c.state.in_(sorted(OPEN_ITEM_STATES))).values(**_ENDED)
_END_CLAIMABLE = update(items).where(_OF_ITEM, _claimable(bindparam("now"))).values(**_ENDED)
_TOUCH = update(jobs).where(jobs.c.job_id == bindparam("of_job")).values(updated_at=bindparam("at"))


def _item(row: Row[Any]) -> Item:
    return Item(
        item_id=row.item_id,
        job_id=row.job_id,
        collection=row.collection,
        origin=Origin(row.origin_source, row.reference),
        state=ItemState(row.state),
        attempts=row.attempts,
        frames=row.frames,
        reason=row.reason,
        label=row.label,
        patient_key=row.patient_key,
        sent_as=None if row.sent_number is None else SentAs(row.sent_number, row.sent_name),
        model=model_of(Origin(row.origin_source, row.of_job)),
    )


def _job(row: Row[Any], counts: dict[ItemState, int], frames: int) -> Job:
    return Job(
        job_id=row.job_id,
        collection=row.collection,
        origin=Origin(row.origin_source, row.origin_reference),
        state=JobState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        counts=counts,
        frames=frames,
        reason=row.reason,
        label=row.label,
    )
