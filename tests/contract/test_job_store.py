from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hmar.errors import NotFoundError
from hmar.ports import JobStore
from hmar.values.entries import Origin
from hmar.values.jobs import FINAL_ITEM_STATES, Item, ItemState, Job, JobState, Message
from tests.contract.examples import Clock

ORIGIN = Origin("import", "study")
LEASE_S = 60.0


def created(jobs: JobStore, *references: str) -> tuple[str, list[int]]:
    job_id = jobs.create("default", ORIGIN, references)
    return job_id, [item.item_id for item in jobs.items(job_id, set(ItemState), 100)]


def job_of(jobs: JobStore, job_id: str) -> Job:
    job = jobs.job(job_id)
    assert job is not None
    return job


def item_of(jobs: JobStore, job_id: str, item_id: int) -> Item:
    return next(item for item in jobs.items(job_id, set(ItemState), 100) if item.item_id == item_id)


def test_a_job_is_queued_until_its_items_are_known(jobs: JobStore, clock: Clock) -> None:
    job_id = jobs.create("default", ORIGIN)
    job = job_of(jobs, job_id)
    assert (job.collection, job.origin, job.state, job.total) == ("default", ORIGIN, JobState.QUEUED, 0)
    assert set(job.counts) == set(ItemState)
    assert job.created_at == job.updated_at == clock.now
    clock.now += 1
    ids = jobs.add_items(job_id, ["b", "a", "b"])
    job = job_of(jobs, job_id)
    assert (job.state, job.total, job.updated_at) == (JobState.RUNNING, 2, clock.now)
    listed = jobs.items(job_id, {ItemState.QUEUED}, 10)
    assert [(item.item_id, item.origin) for item in listed] == [
        (ids[0], Origin("import", "b")),
        (ids[1], Origin("import", "a")),
    ]
    assert {item.collection for item in listed} == {"default"}


def test_a_job_created_with_references_runs_at_once(jobs: JobStore) -> None:
    job_id, ids = created(jobs, "a", "b")
    assert job_of(jobs, job_id).state is JobState.RUNNING
    assert len(ids) == 2


def test_a_label_is_kept_for_the_items_of_its_job_alone(jobs: JobStore) -> None:
    labelled = jobs.create("default", ORIGIN, ["a"], "teaching set")
    assert job_of(jobs, labelled).label == "teaching set"
    (listed,) = jobs.items(labelled, {ItemState.QUEUED}, 10)
    claimed = jobs.claim(listed.item_id, LEASE_S, 3)
    assert claimed is not None
    assert listed.label == claimed.label == "teaching set"
    plain, ids = created(jobs, "a")
    assert job_of(jobs, plain).label is item_of(jobs, plain, ids[0]).label is None


def test_patients_are_kept_for_the_files_that_they_are_given_with(jobs: JobStore) -> None:
    job_id = jobs.create("default", ORIGIN, ["a", "b"], None, {"b": "f" * 32})
    listed = jobs.items(job_id, {ItemState.QUEUED}, 10)
    assert [item.patient_key for item in listed] == [None, "f" * 32]
    claimed = jobs.claim(listed[1].item_id, LEASE_S, 3)
    assert claimed is not None
    assert claimed.patient_key == "f" * 32
    assert "f" * 32 not in repr(claimed.to_dict())
    # Of a job that is found by its folder, nobody has said who its files are of.
    plain = jobs.create("default", ORIGIN)
    jobs.add_items(plain, ["b"])
    assert [item.patient_key for item in jobs.items(plain, {ItemState.QUEUED}, 10)] == [None]


def test_a_job_without_items_is_done(jobs: JobStore) -> None:
    assert job_of(jobs, jobs.create("default", ORIGIN, [])).state is JobState.DONE
    later = jobs.create("default", ORIGIN)
    assert jobs.add_items(later, []) == []
    assert job_of(jobs, later).finished


def test_items_are_added_once_however_often_they_are_listed(jobs: JobStore) -> None:
    job_id = jobs.create("default", ORIGIN)
    first = jobs.add_items(job_id, ["a", "b"])
    again = jobs.add_items(job_id, ["a", "b", "c"])
    assert again[:2] == first
    assert len(again) == job_of(jobs, job_id).total == 3


def test_a_finished_job_takes_no_more_items(jobs: JobStore) -> None:
    job_id, ids = created(jobs, "a")
    jobs.finish(ids[0], ItemState.INDEXED, 1)
    assert jobs.add_items(job_id, ["a", "b"]) == ids
    assert job_of(jobs, job_id).state is JobState.DONE


def test_adding_to_an_unknown_job_is_an_error(jobs: JobStore) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        jobs.add_items("nowhere", ["a"])
    assert jobs.job("nowhere") is None


def test_a_job_that_could_not_be_listed_fails_with_its_reason_and_stays_failed(jobs: JobStore) -> None:
    job_id = jobs.create("default", ORIGIN)
    jobs.fail_job(job_id, "no such folder")
    jobs.fail_job(job_id, "another reason")
    assert jobs.add_items(job_id, ["a"]) == []
    job = job_of(jobs, job_id)
    assert (job.state, job.reason, job.total) == (JobState.FAILED, "no such folder", 0)


def test_open_items_fail_with_their_job_and_their_patients_are_forgotten(
    jobs: JobStore, clock: Clock
) -> None:
    key = "f" * 32
    job_id = jobs.create("default", ORIGIN, ["a", "b", "c"], None, dict.fromkeys("abc", key))
    first, second, third = (item.item_id for item in jobs.items(job_id, {ItemState.QUEUED}, 9))
    jobs.finish(first, ItemState.INDEXED, 1)
    jobs.claim(second, LEASE_S, 3)
    jobs.fail_job(job_id, "interrupted")
    kept = [(item.state, item.reason, item.patient_key) for item in jobs.items(job_id, set(ItemState), 9)]
    given_up = (ItemState.FAILED, "interrupted", None)
    assert kept == [(ItemState.INDEXED, None, key), given_up, given_up]
    assert job_of(jobs, job_id).state is JobState.FAILED
    clock.now += 2 * LEASE_S
    assert jobs.overdue(1.0) == []
    assert jobs.claim(third, LEASE_S, 3) is None


def test_a_done_job_cannot_fail(jobs: JobStore) -> None:
    job_id = jobs.create("default", ORIGIN, [])
    jobs.fail_job(job_id, "late")
    assert (job_of(jobs, job_id).state, job_of(jobs, job_id).reason) == (JobState.DONE, None)


def test_an_item_is_claimed_by_one_worker_only(jobs: JobStore) -> None:
    _, ids = created(jobs, "a")
    item = jobs.claim(ids[0], LEASE_S, 3)
    assert item is not None
    assert (item.state, item.attempts, item.origin.reference) == (ItemState.RUNNING, 1, "a")
    assert jobs.claim(ids[0], LEASE_S, 3) is None
    assert jobs.claim(999_999, LEASE_S, 3) is None


def test_of_many_threads_that_claim_at_once_one_wins(jobs: JobStore) -> None:
    _, ids = created(jobs, *"abcdef")
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda item_id: jobs.claim(item_id, LEASE_S, 3), ids * 4))
    assert sorted(claim.item_id for claim in claims if claim) == ids


def test_the_last_item_to_finish_ends_the_job(jobs: JobStore, clock: Clock) -> None:
    job_id, ids = created(jobs, *"abcde")
    ends = [ItemState.INDEXED, ItemState.UNCHANGED, ItemState.FAILED, ItemState.DEAD, ItemState.SKIPPED]
    for item_id, state in zip(ids, ends, strict=True):
        assert job_of(jobs, job_id).state is JobState.RUNNING
        clock.now += 1
        jobs.claim(item_id, LEASE_S, 3)
        jobs.finish(item_id, state, 2, "why" if state is ItemState.FAILED else None)
    job = job_of(jobs, job_id)
    assert (job.state, job.frames, job.updated_at) == (JobState.DONE, 10, clock.now)
    assert {state: job.counts[state] for state in ends} == dict.fromkeys(ends, 1)
    assert item_of(jobs, job_id, ids[2]).reason == "why"


def test_threads_that_finish_the_last_items_at_once_end_the_job(jobs: JobStore) -> None:
    job_id, ids = created(jobs, *"abcdefgh")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item_id: jobs.finish(item_id, ItemState.INDEXED, 1), ids))
    assert (job_of(jobs, job_id).state, job_of(jobs, job_id).frames) == (JobState.DONE, 8)


def test_a_final_state_never_changes(jobs: JobStore) -> None:
    job_id, ids = created(jobs, "a", "b")
    jobs.claim(ids[0], LEASE_S, 3)
    jobs.finish(ids[0], ItemState.INDEXED, 5)
    jobs.finish(ids[0], ItemState.FAILED, 0, "late")
    item = item_of(jobs, job_id, ids[0])
    assert (item.state, item.frames, item.reason) == (ItemState.INDEXED, 5, None)
    assert jobs.claim(ids[0], LEASE_S, 3) is None
    assert job_of(jobs, job_id).state is JobState.RUNNING


def test_an_item_cannot_finish_in_a_state_that_is_no_end(jobs: JobStore) -> None:
    _, ids = created(jobs, "a")
    for state in set(ItemState) - FINAL_ITEM_STATES:
        with pytest.raises(ValueError, match=str(state)):
            jobs.finish(ids[0], state, 0)


def test_a_worker_whose_lease_is_over_loses_its_item(jobs: JobStore, clock: Clock) -> None:
    _, ids = created(jobs, "a")
    jobs.claim(ids[0], LEASE_S, 3)
    clock.now += LEASE_S - 1
    assert jobs.claim(ids[0], LEASE_S, 3) is None
    clock.now += 1
    taken = jobs.claim(ids[0], LEASE_S, 3)
    assert taken is not None
    assert taken.attempts == 2


def test_a_late_finish_of_an_item_taken_over_counts_once(jobs: JobStore, clock: Clock) -> None:
    job_id, ids = created(jobs, "a")
    jobs.claim(ids[0], LEASE_S, 3)
    clock.now += LEASE_S
    jobs.claim(ids[0], LEASE_S, 3)
    jobs.finish(ids[0], ItemState.INDEXED, 4)
    jobs.finish(ids[0], ItemState.UNCHANGED, 4)
    job = job_of(jobs, job_id)
    assert (job.state, job.total, job.frames) == (JobState.DONE, 1, 4)
    assert job.counts[ItemState.INDEXED] == 1


def test_an_item_out_of_attempts_is_dead_and_says_so(jobs: JobStore, clock: Clock) -> None:
    job_id, ids = created(jobs, "a")
    for _ in range(3):
        assert jobs.claim(ids[0], LEASE_S, 3) is not None
        clock.now += LEASE_S
    assert jobs.claim(ids[0], LEASE_S, 3) is None
    item = item_of(jobs, job_id, ids[0])
    assert (item.state, item.attempts) == (ItemState.DEAD, 3)
    assert "3 attempts" in str(item.reason)
    assert job_of(jobs, job_id).state is JobState.DONE


def test_a_dead_item_keeps_what_an_earlier_attempt_said(jobs: JobStore, clock: Clock) -> None:
    job_id, ids = created(jobs, "a")
    jobs.claim(ids[0], LEASE_S, 2)
    jobs.release(ids[0], "The disk was full.")
    jobs.claim(ids[0], LEASE_S, 2)
    clock.now += LEASE_S
    assert jobs.claim(ids[0], LEASE_S, 2) is None
    reason = str(item_of(jobs, job_id, ids[0]).reason)
    assert "2 attempts" in reason
    assert reason.endswith("The disk was full.")


def test_items_are_paged_by_id_and_state(jobs: JobStore) -> None:
    job_id, ids = created(jobs, *"abcde")
    jobs.finish(ids[1], ItemState.FAILED, 0, "why")
    page = jobs.items(job_id, {ItemState.QUEUED}, 2)
    assert [item.item_id for item in page] == [ids[0], ids[2]]
    page = jobs.items(job_id, {ItemState.QUEUED}, 2, after=ids[2])
    assert [item.item_id for item in page] == [ids[3], ids[4]]
    assert [item.item_id for item in jobs.items(job_id, {ItemState.FAILED}, 9)] == [ids[1]]
    assert jobs.items(job_id, set(), 9) == []


def test_unfinished_jobs_come_oldest_first(jobs: JobStore, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(jobs.create("default", ORIGIN))
        clock.now += 1
    jobs.add_items(ids[1], ["a"])
    jobs.add_items(ids[2], [])
    assert [job.job_id for job in jobs.unfinished({JobState.QUEUED, JobState.RUNNING})] == ids[:2]
    assert [job.job_id for job in jobs.unfinished({JobState.RUNNING})] == [ids[1]]
    assert jobs.unfinished(set()) == []


def test_a_sweep_repeats_what_stands_still_once_in_its_time(jobs: JobStore, clock: Clock) -> None:
    unlisted = jobs.create("default", ORIGIN)
    _, ids = created(jobs, "a", "b", "c")
    jobs.claim(ids[1], LEASE_S, 3)
    jobs.finish(ids[2], ItemState.INDEXED, 1)
    assert jobs.overdue(30.0) == []
    clock.now += 30.5
    assert jobs.overdue(30.0) == [Message("expand", unlisted), Message("item", str(ids[0]))]
    assert jobs.overdue(30.0) == []
    clock.now += 30.5
    assert jobs.overdue(60.0) == [Message("item", str(ids[1]))]
    assert jobs.overdue(60.0) == []
    retaken = jobs.claim(ids[1], LEASE_S, 3)
    assert retaken is not None
    assert retaken.attempts == 2


def test_a_worker_that_finishes_after_the_sweep_gave_its_item_back_is_believed(
    jobs: JobStore, clock: Clock
) -> None:
    job_id, ids = created(jobs, "a")
    jobs.claim(ids[0], LEASE_S, 3)
    clock.now += LEASE_S
    assert jobs.overdue(1.0) == [Message("item", str(ids[0]))]
    jobs.finish(ids[0], ItemState.INDEXED, 1)
    assert jobs.claim(ids[0], LEASE_S, 3) is None
    assert job_of(jobs, job_id).state is JobState.DONE


def test_origins_are_finished_with_once_every_item_of_theirs_has_ended(jobs: JobStore) -> None:
    _, (first, second) = created(jobs, "a", "b")
    _, (again,) = created(jobs, "a")
    a, b, elsewhere = Origin("import", "a"), Origin("import", "b"), Origin("upload", "a")
    asked = [a, b, elsewhere, Origin("import", "unknown")]
    assert jobs.finished_with(asked) == set()
    jobs.finish(first, ItemState.INDEXED, 1)
    jobs.finish(second, ItemState.FAILED, 0, "no image")
    assert jobs.finished_with(asked) == {b}
    assert jobs.finished_with([]) == set()
    jobs.claim(again, LEASE_S, 3)
    assert jobs.finished_with(asked) == {b}
    jobs.finish(again, ItemState.UNCHANGED, 1)
    assert jobs.finished_with(asked) == {a, b}
