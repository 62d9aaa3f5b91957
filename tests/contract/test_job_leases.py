"""Leases of items: kept by progress, given back on trouble; in every job store alike."""

from __future__ import annotations

import pytest

from hmar.ports import JobStore
from hmar.values.entries import Origin
from hmar.values.jobs import Item, ItemState, Message
from tests.contract.examples import Clock


def new_item(jobs: JobStore) -> tuple[str, int]:
    job_id = jobs.create("default", Origin("import", "study"), ["a"])
    return job_id, jobs.items(job_id, set(ItemState), 1)[0].item_id


def item_of(jobs: JobStore, job_id: str) -> Item:
    [item] = jobs.items(job_id, set(ItemState), 2)
    return item


def test_a_renewed_lease_counts_from_the_renewal(jobs: JobStore, clock: Clock) -> None:
    _, item_id = new_item(jobs)
    jobs.claim(item_id, 60, 3)
    clock.now += 50
    jobs.renew(item_id, 60)
    clock.now += 59
    assert jobs.overdue(1000) == []
    assert jobs.claim(item_id, 60, 3) is None
    clock.now += 1
    assert jobs.overdue(1000) == [Message("item", str(item_id))]


@pytest.mark.slow
def test_only_a_running_item_has_a_lease_to_renew(jobs: JobStore) -> None:
    job_id, item_id = new_item(jobs)
    jobs.renew(item_id, 60)
    assert item_of(jobs, job_id).state is ItemState.QUEUED
    jobs.claim(item_id, 60, 3)
    jobs.finish(item_id, ItemState.INDEXED, 1)
    jobs.renew(item_id, 60)
    assert item_of(jobs, job_id).state is ItemState.INDEXED
    jobs.renew(item_id + 1, 60)


def test_a_released_item_is_queued_at_once_with_its_reason_and_its_attempt(
    jobs: JobStore, clock: Clock
) -> None:
    job_id, item_id = new_item(jobs)
    jobs.claim(item_id, 60, 3)
    clock.now += 1000
    jobs.release(item_id, "It failed.")
    item = item_of(jobs, job_id)
    assert (item.state, item.attempts, item.reason) == (ItemState.QUEUED, 1, "It failed.")
    assert jobs.overdue(60) == []
    again = jobs.claim(item_id, 60, 3)
    assert again is not None
    assert again.attempts == 2


def test_a_released_item_is_overdue_only_after_its_time(jobs: JobStore, clock: Clock) -> None:
    _, item_id = new_item(jobs)
    jobs.claim(item_id, 60, 3)
    jobs.release(item_id, "It failed.")
    clock.now += 61
    assert jobs.overdue(60) == [Message("item", str(item_id))]


def test_an_item_that_ended_is_not_released(jobs: JobStore) -> None:
    job_id, item_id = new_item(jobs)
    jobs.claim(item_id, 60, 3)
    jobs.finish(item_id, ItemState.FAILED, 0, "No image.")
    jobs.release(item_id, "Late.")
    item = item_of(jobs, job_id)
    assert (item.state, item.reason) == (ItemState.FAILED, "No image.")


def test_an_item_that_is_released_uncounted_has_the_attempts_that_it_had(jobs: JobStore) -> None:
    job_id, item_id = new_item(jobs)
    jobs.claim(item_id, 60, 3)
    jobs.release(item_id, "It failed.")
    for _ in range(5):
        jobs.claim(item_id, 60, 3)
        jobs.release(item_id, "The disk is full.", counted=False)
    item = item_of(jobs, job_id)
    assert (item.state, item.attempts, item.reason) == (ItemState.QUEUED, 1, "The disk is full.")
