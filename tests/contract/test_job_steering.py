"""Jobs that are listed, cancelled, tried again, and asked for twice, in every job store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.errors import ConflictError
from hmar.ports import JobStore
from hmar.values.jobs import (
    JOB_CANCELLED,
    REQUESTS_KEPT_S,
    ItemState,
    JobRequest,
    JobState,
    Message,
    SentAs,
)
from tests.contract.examples import Clock
from tests.contract.test_job_store import LEASE_S, ORIGIN, created, item_of, job_of

ALL = frozenset(JobState)
REQUEST = JobRequest("a" * 64, "b" * 64)


def states(jobs: JobStore, job_id: str) -> list[ItemState]:
    return [item.state for item in jobs.items(job_id, set(ItemState), 100)]


def test_jobs_are_listed_newest_first_page_by_page(jobs: JobStore, clock: Clock) -> None:
    made = []
    for second in range(6):
        clock.now += second % 2  # two of each time
        made.append(jobs.create("even" if second % 2 else "odd", ORIGIN, ["a"]))
    times = {job_id: job_of(jobs, job_id).created_at for job_id in made}
    expected = sorted(made, key=lambda job_id: (times[job_id], job_id), reverse=True)
    assert [job.job_id for job in jobs.listed(ALL, 100)] == expected
    assert [job.total for job in jobs.listed(ALL, 100)] == [1] * 6
    assert [job.job_id for job in jobs.listed(ALL, 4)] == expected[:4]
    assert [job.job_id for job in jobs.listed(ALL, 4, expected[3])] == expected[4:]
    assert jobs.listed(ALL, 4, expected[-1]) == jobs.listed(ALL, 4, "nowhere") == []
    even = [job_id for job_id in expected if job_of(jobs, job_id).collection == "even"]
    for collection in ("even", frozenset({"even", "other"})):
        assert [job.job_id for job in jobs.listed(ALL, 100, None, collection)] == even
    assert jobs.listed(ALL, 100, None, frozenset()) == []


def test_jobs_are_listed_by_state(jobs: JobStore) -> None:
    listed, (running, _), done = jobs.create("default", ORIGIN), created(jobs, "a"), created(jobs)[0]
    for state, job_id in ((JobState.QUEUED, listed), (JobState.RUNNING, running), (JobState.DONE, done)):
        assert [job.job_id for job in jobs.listed({state}, 10)] == [job_id]
    assert jobs.listed({JobState.CANCELLED, JobState.FAILED}, 10) == []


def test_a_cancelled_job_begins_nothing_more_and_ends_with_what_is_in_hand(
    jobs: JobStore, clock: Clock
) -> None:
    job_id = jobs.create("default", ORIGIN, ["a", "b", "c"], None, {"b": "f" * 32})
    first, second, _ = [item.item_id for item in jobs.items(job_id, set(ItemState), 10)]
    assert jobs.claim(first, LEASE_S, 3)
    clock.now += 1
    jobs.cancel(job_id)
    job = job_of(jobs, job_id)
    assert (job.state, job.reason, job.updated_at) == (JobState.CANCELLED, JOB_CANCELLED, clock.now)
    assert not job.finished, "a file is in hand"
    assert states(jobs, job_id) == [ItemState.RUNNING, ItemState.CANCELLED, ItemState.CANCELLED]
    item = item_of(jobs, job_id, second)
    assert (item.reason, item.patient_key) == (JOB_CANCELLED, None)
    assert jobs.claim(second, LEASE_S, 3) is None
    assert jobs.add_items(job_id, ["d"])[3:] == []
    jobs.finish(first, ItemState.INDEXED, 4)
    job = job_of(jobs, job_id)
    assert (job.state, job.finished, job.frames) == (JobState.CANCELLED, True, 4)
    assert job.counts[ItemState.CANCELLED] == 2
    jobs.cancel(job_id)
    jobs.fail_job(job_id, "another reason")
    assert job_of(jobs, job_id) == job


def test_a_job_that_is_not_listed_yet_is_cancelled_and_never_will_be(jobs: JobStore, clock: Clock) -> None:
    job_id = jobs.create("default", ORIGIN)
    jobs.cancel(job_id)
    assert job_of(jobs, job_id).finished
    assert jobs.add_items(job_id, ["a"]) == []
    clock.now += LEASE_S * 100
    assert jobs.overdue(LEASE_S) == []
    jobs.cancel("nowhere")


@pytest.mark.parametrize("given_back", [True, False])
def test_what_was_in_hand_of_a_cancelled_job_is_not_begun_again(
    jobs: JobStore, clock: Clock, given_back: bool
) -> None:
    """Its worker gives it back, or has vanished."""
    job_id, [item_id] = created(jobs, "a")
    assert jobs.claim(item_id, LEASE_S, 3)
    jobs.cancel(job_id)
    if given_back:
        jobs.release(item_id, "Interrupted.")
    else:
        clock.now += LEASE_S
        assert jobs.overdue(LEASE_S) == [Message("item", str(item_id))]
        assert jobs.claim(item_id, LEASE_S, 3) is None
    assert states(jobs, job_id) == [ItemState.CANCELLED]
    assert job_of(jobs, job_id).finished


def test_a_job_that_has_ended_is_not_cancelled(jobs: JobStore) -> None:
    job_id, [item_id] = created(jobs, "a")
    jobs.finish(item_id, ItemState.INDEXED, 1)
    jobs.cancel(job_id)
    assert job_of(jobs, job_id).state is JobState.DONE


def test_failed_and_dead_items_are_tried_again_with_all_attempts(jobs: JobStore, clock: Clock) -> None:
    job_id, ids = created(jobs, "a", "b", "c", "d")
    ends = [ItemState.FAILED, ItemState.DEAD, ItemState.PARTIAL, ItemState.INDEXED]
    for item_id, state in zip(ids, ends, strict=True):
        for _ in range(3):
            jobs.claim(item_id, 0, 3)
        jobs.finish(item_id, state, 0, "why")
    assert job_of(jobs, job_id).finished
    clock.now += LEASE_S
    jobs.retry(job_id)
    job = job_of(jobs, job_id)
    assert (job.state, job.finished, job.updated_at) == (JobState.RUNNING, False, clock.now)
    assert states(jobs, job_id) == [ItemState.QUEUED] * 2 + ends[2:]
    item = item_of(jobs, job_id, ids[0])
    assert (item.attempts, item.reason) == (0, None)
    assert jobs.overdue(LEASE_S) == [], "it is queued from now"
    assert [jobs.claim(item_id, LEASE_S, 3) is not None for item_id in ids] == [True, True, False, False]
    for item_id in ids[:2]:
        jobs.finish(item_id, ItemState.INDEXED, 1)
    assert job_of(jobs, job_id).state is JobState.DONE


def test_a_retry_of_what_has_not_failed_changes_nothing(jobs: JobStore, clock: Clock) -> None:
    done, [item_id] = created(jobs, "a")
    jobs.finish(item_id, ItemState.INDEXED, 1)
    cancelled, [failed, _] = created(jobs, "a", "b")
    jobs.finish(failed, ItemState.FAILED, 0, "why")
    jobs.cancel(cancelled)
    before = [job_of(jobs, job_id) for job_id in (done, cancelled)]
    clock.now += 1
    for job_id in (done, cancelled, "nowhere"):
        jobs.retry(job_id)
    assert [job_of(jobs, job_id) for job_id in (done, cancelled)] == before


def test_a_job_that_could_not_be_listed_is_listed_again(jobs: JobStore, clock: Clock) -> None:
    job_id = jobs.create("default", ORIGIN)
    jobs.fail_job(job_id, "no such folder")
    clock.now += LEASE_S
    jobs.retry(job_id)
    job = job_of(jobs, job_id)
    assert (job.state, job.reason, job.finished) == (JobState.QUEUED, None, False)
    assert len(jobs.add_items(job_id, ["a"])) == 1


def test_the_same_request_is_the_same_job_for_a_day(jobs: JobStore, clock: Clock) -> None:
    assert jobs.asked_before(REQUEST) is None
    job_id = jobs.create("default", ORIGIN, request=REQUEST)
    clock.now += REQUESTS_KEPT_S
    assert jobs.asked_before(REQUEST) == jobs.create("default", ORIGIN, request=REQUEST) == job_id
    assert len(jobs.listed(ALL, 10)) == 1
    other = REQUEST._replace(content="c" * 64)
    for ask in (jobs.asked_before, lambda request: jobs.create("default", ORIGIN, request=request)):
        with pytest.raises(ConflictError, match="Idempotency-Key"):
            ask(other)
    clock.now += 1
    assert jobs.asked_before(REQUEST) is None
    again = jobs.create("default", ORIGIN, request=other)
    assert again != job_id
    assert jobs.asked_before(other) == again
    clock.now -= 2 * REQUESTS_KEPT_S
    assert jobs.asked_before(other) is None, "it was made before the clock was set back"


def test_of_two_same_requests_at_once_one_creates_the_job(jobs: JobStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: jobs.create("default", ORIGIN, ["a"], request=REQUEST), range(16)))
    assert len(made) == len(jobs.listed(ALL, 100)) == 1


def test_it_is_kept_how_files_were_sent_and_old_names_are_forgotten(jobs: JobStore, clock: Clock) -> None:
    sent = {"b": SentAs(1, "scan.dcm"), "a": SentAs(2)}
    job_id = jobs.create("default", ORIGIN, ["b", "a", "c"], sent=sent)
    listed = jobs.items(job_id, set(ItemState), 10)
    assert [item.sent_as for item in listed] == [SentAs(1, "scan.dcm"), SentAs(2), None]
    told = [(item.to_dict()["number"], item.to_dict()["name"]) for item in listed]
    assert told == [(1, "scan.dcm"), (2, None), (None, None)]
    clock.now += 10
    assert jobs.forget_names(10) == 0
    clock.now += 1
    assert jobs.forget_names(10) == 1
    assert [item.sent_as for item in jobs.items(job_id, set(ItemState), 10)] == [SentAs(1), SentAs(2), None]
    assert jobs.forget_names(10) == 0
