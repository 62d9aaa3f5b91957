"""Measuring frames by their estimates: when it ends, and what it expects to have found."""

import numpy as np
import pytest

from hmar.index.fast import FIRST_FRAMES, FIRST_SHARE, LATE_SHARE, measured

FRAMES = 100_000


def drawn(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return exact distances, and estimates that lie off by so many bits."""
    rng = np.random.default_rng(seed)
    exact = rng.normal(42, 4, FRAMES).clip(15, 60)
    return exact, (exact + rng.normal(2, spread, FRAMES)).clip(0)


def nearest(distances: np.ndarray, k: int) -> set[int]:
    return set(np.argsort(distances, kind="stable")[:k].tolist())


@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize("spread", [1.0, 2.0])
def test_most_of_the_nearest_are_measured_and_as_many_as_were_expected(k: int, spread: float) -> None:
    recalls, expected, shares = [], [], []
    for seed in range(30):
        exact, estimates = drawn(seed, spread)
        found = measured(np.arange(FRAMES), estimates, lambda slots, exact=exact: exact[slots], k, None)
        assert (found.distances == exact[found.slots]).all()
        recalls.append(len(nearest(exact, k) & set(found.slots.tolist())) / k)
        expected.append(found.expected_recall)
        shares.append(found.share)
    assert np.mean(recalls) > 0.985
    assert np.mean(expected) <= np.mean(recalls) + 0.002
    assert np.mean(expected) > 0.98
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
    assert found.share == 1
    assert sorted(found.slots.tolist()) == list(range(FRAMES))
    assert found.cutoff == np.sort(exact)[9]


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
    assert sorted(found.slots.tolist()) == sorted(np.concatenate(asked).tolist())
    assert (np.diff(np.rint(estimates[found.slots // 3] * 16)) >= 0).all(), "the least estimate first"


def test_few_frames_are_all_measured() -> None:
    exact, estimates = drawn(3, 0.5)
    found = measured(np.arange(7), estimates[:7], lambda slots: exact[slots], 10, None)
    assert found.cutoff == exact[:7].max()
    assert found.share == 1


def test_the_nearest_groups_are_found_each_by_its_nearest_frame() -> None:
    exact, estimates = drawn(4, 1.0)
    by_eight = (np.arange(FRAMES) // 8).astype(np.uint64)
    found = measured(
        np.arange(FRAMES), estimates, lambda slots: exact[slots], 300, lambda slots: by_eight[slots]
    )
    best = np.sort(np.minimum.reduceat(exact, np.arange(0, FRAMES, 8)))
    assert found.cutoff >= best[299]
    assert found.cutoff == pytest.approx(best[299], abs=0.1)


def test_a_search_for_groups_goes_on_until_it_has_as_many_as_were_asked_for() -> None:
    exact, estimates = drawn(5, 1.0)
    exact[:3000] = np.linspace(5, 10, 3000)
    estimates[:3000] = exact[:3000]
    groups = np.maximum(np.arange(FRAMES) // 8, 400).astype(np.uint64)
    groups[:3000] = 0
    found = measured(
        np.arange(FRAMES), estimates, lambda slots: exact[slots], 10, lambda slots: groups[slots]
    )
    assert len(np.unique(groups[found.slots[found.distances <= found.cutoff]])) == 10
    assert found.share < 1


def test_fewer_groups_than_were_asked_for_are_all_there_are() -> None:
    exact, estimates = drawn(6, 1.0)
    groups = np.arange(FRAMES, dtype=np.uint64) * 9 // FRAMES
    found = measured(
        np.arange(FRAMES), estimates, lambda slots: exact[slots], 10, lambda slots: groups[slots]
    )
    assert found.share == 1
    assert found.cutoff == max(exact[groups == number].min() for number in range(9))


def test_the_nearest_groups_count_as_much_where_one_has_most_of_the_nearest_frames() -> None:
    exact, estimates = drawn(7, 1.0)
    exact[:1000] = np.linspace(5, 10, 1000)
    estimates[:1000] = exact[:1000]
    exact[1000:1009] = 11
    estimates[1000:1009] = np.sort(estimates)[2900 + 10 * np.arange(9)]
    groups = np.arange(FRAMES, dtype=np.uint64)
    groups[:1000] = 0
    found = measured(
        np.arange(FRAMES), estimates, lambda slots: exact[slots], 10, lambda slots: groups[slots]
    )
    assert found.late <= LATE_SHARE
    assert found.share > FIRST_SHARE
