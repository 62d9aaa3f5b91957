"""How much waits, and since when; in every job store alike."""

from __future__ import annotations

from hmar.ports import JobStore
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, QueueLoad
from tests.contract.examples import Clock

FOLDER = Origin("import", "study")


def test_nothing_waits_in_an_empty_store(jobs: JobStore) -> None:
    assert jobs.load() == QueueLoad(0, 0, 0, 0.0)


def test_files_that_wait_and_that_are_in_hand_are_counted_apart(jobs: JobStore) -> None:
    job_id = jobs.create("default", FOLDER, ["a", "b", "c"])
    first, second, _ = (item.item_id for item in jobs.items(job_id, set(ItemState), 3))
    jobs.claim(first, 60, 3)
    jobs.claim(second, 60, 3)
    jobs.finish(second, ItemState.INDEXED, 1)
    assert jobs.load()[:3] == (0, 1, 1)


def test_the_age_is_that_of_the_oldest_job_of_which_anything_waits(jobs: JobStore, clock: Clock) -> None:
    begun = clock.now
    old = jobs.create("default", FOLDER, ["a"])
    clock.now = begun + 10
    jobs.create("default", FOLDER)
    clock.now = begun + 30
    assert jobs.load() == QueueLoad(1, 1, 0, 30.0)
    [item] = jobs.items(old, set(ItemState), 1)
    jobs.claim(item.item_id, 60, 3)
    assert jobs.load() == QueueLoad(1, 0, 1, 20.0)
    jobs.finish(item.item_id, ItemState.INDEXED, 1)
    assert jobs.load() == QueueLoad(1, 0, 0, 20.0)


def test_a_message_that_is_sent_again_makes_nothing_younger(jobs: JobStore, clock: Clock) -> None:
    jobs.create("default", FOLDER, ["a"])
    clock.now += 100
    assert jobs.overdue(60)
    assert jobs.load().oldest_s == 100


def test_a_clock_that_was_set_back_gives_no_negative_age(jobs: JobStore, clock: Clock) -> None:
    jobs.create("default", FOLDER, ["a"])
    clock.now -= 100
    assert jobs.load().oldest_s == 0
