"""Measuring frames by their estimates: when it ends, and what it expects to have found."""

import numpy as np
import pytest

from hmar.index.fast import EXPECTED_RECALL, FIRST_FRAMES, FIRST_SHARE, cutoff, measured

FRAMES = 100_000


def drawn(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return exact distances, and estimates that lie off by so many bits."""
    rng = np.random.default_rng(seed)
    exact = rng.normal(42, 4, FRAMES).clip(15, 60)
    return exact, (exact + rng.normal(2, spread, FRAMES)).clip(0)


def nearest(distances: np.ndarray, k: int) -> set[int]:
    return set(np.argsort(distances, kind="stable")[:k].tolist())


@pytest.mark.parametrize("k", [10, 100])
def test_most_of_the_nearest_are_measured_and_as_many_as_were_expected(k: int) -> None:
    recalls, expected, shares = [], [], []
    for seed in range(40):
        exact, estimates = drawn(seed, 2.0)
        found = measured(np.arange(FRAMES), estimates, lambda slots, exact=exact: exact[slots], k, None)
        assert (found.distances == exact[found.slots]).all()
        recalls.append(len(nearest(exact, k) & set(found.slots.tolist())) / k)
        expected.append(found.expected_recall(k, None))
        shares.append(found.share)
    assert min(expected) >= EXPECTED_RECALL
    assert np.mean(recalls) > 0.985
    assert abs(np.mean(recalls) - np.mean(expected)) < 0.015
    assert np.mean(shares) < 0.5


def test_the_worse_the_estimates_the_more_is_measured() -> None:
    shares = []
    for spread in (0.5, 3.0, 8.0):
        exact, estimates = drawn(1, spread)
        shares.append(measured(np.arange(FRAMES), estimates, lambda slots, e=exact: e[slots], 10, None).share)
    assert shares == sorted(set(shares))


def test_estimates_that_say_nothing_end_in_an_exact_search() -> None:
    exact, _ = drawn(2, 1.0)
    found = measured(np.arange(FRAMES), np.full(FRAMES, 40.0), lambda slots: exact[slots], 10, None)
    assert found.share == found.expected_recall(10, None) == 1
    assert found.slots.tolist() == list(range(FRAMES))


def test_slots_keep_their_numbers_and_are_measured_in_order() -> None:
    slots = np.arange(FRAMES) * 3
    exact, estimates = drawn(3, 0.5)
    asked = []

    def measure(some: np.ndarray) -> np.ndarray:
        asked.append(some)
        assert (np.diff(some) > 0).all()
        return exact[some // 3]

    found = measured(slots, estimates, measure, 5, None)
    assert len(asked[0]) == max(FIRST_FRAMES, int(FIRST_SHARE * FRAMES))
    assert nearest(exact, 5) <= set((found.slots // 3).tolist())


def test_a_cut_off_counts_groups_by_their_nearest() -> None:
    distances = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    groups = np.array([7, 7, 7, 8, 9], np.uint64)
    assert [cutoff(distances, k, None) for k in (1, 3, 5, 9)] == [1, 3, 5, 5]
    assert [cutoff(distances, k, groups) for k in (1, 2, 3)] == [1, 4, 5]


def test_fewer_frames_are_left_to_find_where_groups_are_looked_for() -> None:
    exact, estimates = drawn(4, 1.0)
    by_eight = (np.arange(FRAMES) // 8).astype(np.uint64)
    found = measured(
        np.arange(FRAMES), estimates, lambda slots: exact[slots], 10, lambda slots: by_eight[slots]
    )
    best = np.minimum.reduceat(exact, np.arange(0, FRAMES, 8))
    of_found = {int(group) for group in by_eight[found.slots]}
    assert len(nearest(best, 10) & of_found) >= 9
