"""The wall clock is set while rows are there: nothing is blocked for long, no live worker loses its file."""

from __future__ import annotations

import pytest

from hmar.ports import JobStore, KeyStore
from hmar.values.entries import Origin
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from hmar.values.jobs import ItemState, Message
from tests.contract.examples import Clock

LEASE_S = 60.0
DAY_S = 86_400.0

READER = Identity(PAGE_LOGIN, EVERYDAY)


def new_items(jobs: JobStore, *references: str) -> tuple[str, list[int]]:
    job_id = jobs.create("default", Origin("import", "study"), references)
    return job_id, [item.item_id for item in jobs.items(job_id, set(ItemState), 10)]


def attempts(jobs: JobStore, job_id: str) -> list[int]:
    return [item.attempts for item in jobs.items(job_id, set(ItemState), 10)]


def sweep(jobs: JobStore, clock_was_set: bool) -> list[Message]:
    jobs.rebase_leases(LEASE_S, clock_was_set)
    return jobs.overdue(LEASE_S)


def test_an_item_whose_worker_lives_is_not_sent_again_however_often_the_clock_is_set_forward(
    jobs: JobStore, clock: Clock
) -> None:
    job_id, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    for _ in range(5):
        clock.now += DAY_S
        assert sweep(jobs, clock_was_set=True) == []
        clock.now += LEASE_S / 2
        jobs.renew(item_id, LEASE_S)
    assert attempts(jobs, job_id) == [1]


def test_an_item_whose_worker_is_gone_is_sent_again_a_lease_after_the_clock_was_set_forward(
    jobs: JobStore, clock: Clock
) -> None:
    _, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    clock.now += DAY_S
    assert sweep(jobs, clock_was_set=True) == []
    clock.now += LEASE_S
    assert sweep(jobs, clock_was_set=False) == [Message("item", str(item_id))]


def test_the_clock_set_back_blocks_an_item_for_a_lease_at_most(jobs: JobStore, clock: Clock) -> None:
    _, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    clock.now -= DAY_S
    # Nobody saw it: the program was started afterwards.
    assert sweep(jobs, clock_was_set=False) == []
    clock.now += LEASE_S
    assert sweep(jobs, clock_was_set=False) == [Message("item", str(item_id))]


def test_without_a_sweep_too_the_clock_set_back_blocks_an_item_for_a_lease_at_most(
    jobs: JobStore, clock: Clock
) -> None:
    job_id, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    clock.now -= DAY_S
    assert jobs.claim(item_id, LEASE_S, 3) is None
    clock.now += LEASE_S - 1
    assert jobs.claim(item_id, LEASE_S, 3) is None
    clock.now += 1
    assert jobs.claim(item_id, LEASE_S, 3) is not None
    assert attempts(jobs, job_id) == [2]


def test_a_lease_that_runs_is_cut_by_nobody(jobs: JobStore, clock: Clock) -> None:
    _, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    clock.now += LEASE_S - 1
    assert jobs.claim(item_id, LEASE_S, 3) is None
    assert sweep(jobs, clock_was_set=False) == []
    clock.now += 1
    assert sweep(jobs, clock_was_set=False) == [Message("item", str(item_id))]


def test_what_is_queued_in_the_future_is_sent_again(jobs: JobStore, clock: Clock) -> None:
    unlisted = jobs.create("default", Origin("import", "other"))
    _, [item_id] = new_items(jobs, "a")
    clock.now -= DAY_S
    assert sweep(jobs, clock_was_set=False) == [Message("expand", unlisted), Message("item", str(item_id))]
    assert sweep(jobs, clock_was_set=False) == []


@pytest.mark.slow
def test_an_item_that_ended_has_no_lease_to_set(jobs: JobStore) -> None:
    job_id, [item_id] = new_items(jobs, "a")
    jobs.claim(item_id, LEASE_S, 3)
    jobs.finish(item_id, ItemState.INDEXED, 1)
    jobs.rebase_leases(LEASE_S, all_running=True)
    assert [item.state for item in jobs.items(job_id, set(ItemState), 10)] == [ItemState.INDEXED]


def test_a_login_is_not_valid_for_longer_because_the_clock_was_set_back(keys: KeyStore, clock: Clock) -> None:
    token = keys.create_login(READER, 900)
    clock.now -= DAY_S
    assert not keys.redeem_login(token)
    assert keys.redeem_login(keys.create_login(READER, 900))


def test_a_login_is_valid_for_an_hour_at_most(keys: KeyStore, clock: Clock) -> None:
    soon, late = keys.create_login(READER, DAY_S), keys.create_login(READER, DAY_S)
    clock.now += 3599
    assert keys.redeem_login(soon)
    clock.now += 1
    assert not keys.redeem_login(late)
