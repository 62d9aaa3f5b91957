from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.growing import GrowingArray
from hmar.index.hamming import code_words
from hmar.index.windows import WindowMatrix


def matrix(counts: list[int], seed: int = 0) -> tuple[WindowMatrix, list[np.ndarray]]:
    """Return a matrix and the codes of each of its frames; window ids number all windows through."""
    rng = np.random.default_rng(seed)
    windows, frames, number = WindowMatrix.empty(), [], 0
    for count in counts:
        codes = rng.integers(0, 256, (count, 16), np.uint8)
        windows.append(codes, np.arange(number, number + count, dtype=np.uint32))
        frames.append(codes)
        number += count
    return windows, frames


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 5), max_size=10), picks=st.lists(st.integers(0, 9), max_size=8))
def test_minima_of_some_frames_are_those_of_all(counts: list[int], picks: list[int]) -> None:
    windows, _ = matrix(counts)
    query = code_words(np.arange(16, dtype=np.uint8))
    slots = np.array([pick for pick in picks if pick < len(counts)], np.int64)
    for bits in (64, 128):
        found = windows.minima_of(slots, query, bits)
        assert found.tolist() == windows.minima(query, bits)[slots].tolist()


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 5), max_size=10), data=st.data())
def test_a_matrix_of_some_frames_holds_their_windows_side_by_side(
    counts: list[int], data: st.DataObject
) -> None:
    windows, frames = matrix(counts)
    kept = data.draw(st.lists(st.integers(0, len(counts) - 1), unique=True).map(sorted)) if counts else []
    smaller = windows.kept(np.array(kept, np.int64))
    expected = [frames[slot] for slot in kept]
    codes = np.stack(smaller.planes, axis=1).view(np.uint8).reshape(-1, 16)
    np.testing.assert_array_equal(codes, np.concatenate([np.empty((0, 16), np.uint8), *expected]))
    assert smaller.counts.tolist() == [counts[slot] for slot in kept]
    assert len(smaller) == len(kept)
    starts = np.cumsum(counts) - counts
    ids = [int(starts[slot]) + i for slot in kept for i in range(counts[slot])]
    assert smaller.window_ids.tolist() == ids


def test_frames_are_added_to_a_matrix_that_was_given_its_first_ones() -> None:
    first, frames = matrix([2, 0, 3])
    again = WindowMatrix(*first.planes, first.window_ids, first.counts)
    again.append(frames[0], np.array([70, 71], np.uint32))
    assert again.counts.tolist() == [2, 0, 3, 2]
    query = code_words(frames[0][1])
    assert (again.nearest(0, query, 64), again.nearest(3, query, 64)) == (1, 71)


@pytest.mark.parametrize("first", [0, 1, 1024, 1025])
def test_what_a_growing_array_handed_out_never_changes(first: int) -> None:
    array = GrowingArray(np.arange(first))
    views = []
    for size in (0, 1, 7, 1000, 3000):
        views.append((array.values, array.values.copy()))
        array.extend(np.full(size, size))
    assert len(array) == first + 4008
    assert array.values.tolist() == [*range(first), *[1], *[7] * 7, *[1000] * 1000, *[3000] * 3000]
    for view, copy in views:
        np.testing.assert_array_equal(view, copy)
