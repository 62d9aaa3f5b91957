"""Reach and first of each group, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.index.grouping import first_of_each, within_cutoff

members = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=60)


@pytest.mark.slow
@given(members, st.integers(1, 12))
def test_all_members_that_can_stand_for_one_of_the_k_nearest_groups_are_within_cutoff(
    listed: list[tuple[int, int]], k: int
) -> None:
    distances = np.array([distance for distance, _ in listed], np.float64)
    groups = np.array([group for _, group in listed], np.uint64)
    nearest: dict[int, int] = {}
    for distance, group in listed:
        nearest[group] = min(distance, nearest.get(group, distance))
    farthest = sorted(nearest.values())[min(k, len(nearest)) - 1]
    near = within_cutoff(distances, k, groups)
    assert all(near[distances <= farthest])
    # No more than is needed to tell: whatever is as near as something within the cut-off is within it too.
    assert distances[near].max() < distances[~near].min(initial=np.inf)


@pytest.mark.slow
@given(members, st.integers(1, 70))
def test_without_groups_the_k_nearest_and_their_ties_are_within_cutoff(
    listed: list[tuple[int, int]], k: int
) -> None:
    distances = np.array([distance for distance, _ in listed], np.float64)
    farthest = sorted(distances)[min(k, len(distances)) - 1]
    np.testing.assert_array_equal(within_cutoff(distances, k, None), distances <= farthest)


@pytest.mark.slow
@given(st.lists(st.integers(0, 5), max_size=30))
def test_the_first_of_each_group_is_where_a_loop_meets_it_first(groups: list[int]) -> None:
    expected = [at for at, group in enumerate(groups) if group not in groups[:at]]
    assert first_of_each(np.array(groups, np.uint64)).tolist() == expected
