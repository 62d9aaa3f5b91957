from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.growing import GrowingArray
from hmar.index.planes import LINE, WAY, GrowingPlanes, padded, to_codes, to_planes
from hmar.index.windows import LEAST_COARSE, Segment, WindowMatrix, Windows, parts_of

COUNTS = st.lists(st.integers(0, 5), max_size=10)


def matrix(counts: list[int], base: int = 0) -> tuple[WindowMatrix, list[np.ndarray]]:
    """Return a matrix, its first frames in the base, and all codes; window ids number all windows through."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (count, 16), np.uint8) for count in counts]
    starts = np.cumsum([0, *counts])
    first = np.concatenate([np.empty((0, 16), np.uint8), *frames[:base]])
    ids = np.arange(len(first), dtype=np.uint32)
    windows = WindowMatrix(Segment.of(first, ids, np.array(counts[:base], np.int64)))
    for slot in range(base, len(counts)):
        windows.append(frames[slot], np.arange(starts[slot], starts[slot + 1], dtype=np.uint32))
    return windows, frames


def held(windows: Windows, slot: int) -> tuple[list[list[int]], list[int], int]:
    """Return the codes and window ids of a slot, and how many of its windows are coarse."""
    codes, window_ids = windows.of_slot(slot)
    return codes.tolist(), window_ids.tolist(), int(windows.coarse_counts(np.array([slot]))[0])


@given(count=st.one_of(st.integers(0, 200), st.integers(4030, 4100)))
def test_planes_hold_codes_on_their_side_and_are_lines_wide(count: int) -> None:
    codes = np.random.default_rng(count).integers(0, 256, (count, 16), np.uint8)
    planes = to_planes(codes)
    assert planes.shape == (16, padded(count))
    assert planes.shape[1] % LINE == 0
    assert planes.shape[1] % WAY != 0
    assert planes.shape[1] >= max(1, count)
    np.testing.assert_array_equal(to_codes(planes, slice(0, count)), codes)


@pytest.mark.slow
@settings(deadline=None)
@given(counts=COUNTS, base=st.integers(0, 10))
def test_every_slot_holds_its_frame_whether_in_the_base_or_the_tail(counts: list[int], base: int) -> None:
    windows, frames = matrix(counts, min(base, len(counts)))
    now = windows.frozen()
    assert len(now) == len(counts)
    assert now.windows == sum(counts)
    assert now.counts(np.arange(len(counts))).tolist() == counts
    starts = np.cumsum([0, *counts])
    for slot, codes in enumerate(frames):
        ids = list(range(starts[slot], starts[slot + 1]))
        coarse = max(sum(number % 2 == 0 for number in ids), min(LEAST_COARSE, len(ids)))
        assert held(now, slot) == (codes.tolist(), ids, coarse)


@pytest.mark.slow
@settings(deadline=None)
@given(counts=COUNTS, base=st.integers(0, 10), data=st.data())
def test_frames_taken_from_another_matrix_follow_in_order(
    counts: list[int], base: int, data: st.DataObject
) -> None:
    windows, _ = matrix(counts, min(base, len(counts)))
    now = windows.frozen()
    taken = sorted(data.draw(st.sets(st.integers(0, len(counts) - 1)))) if counts else []
    other = WindowMatrix.empty()
    for segment, _, numbers in now.split(np.array(taken, np.int64)):
        other.extend(segment, numbers)
    assert [held(other.frozen(), i) for i in range(len(taken))] == [held(now, slot) for slot in taken]


@pytest.mark.slow
@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 5), min_size=1, max_size=6), data=st.data())
def test_the_parts_of_a_segment_are_the_windows_of_the_frames_asked_for(
    counts: list[int], data: st.DataObject
) -> None:
    windows, frames = matrix(counts, len(counts))
    segment = windows.frozen().segments[0]
    some = sorted(data.draw(st.sets(st.integers(0, len(counts) - 1))))
    parts = [to_codes(segment.codes, part) for part in parts_of(segment.offsets, np.array(some, np.int64))]
    starts = np.cumsum([0, *counts])
    kept = [
        np.argsort(np.arange(begin, begin + count) % 2, kind="stable")
        for begin, count in zip(starts, counts, strict=False)
    ]
    expected = np.concatenate([np.empty((0, 16), np.uint8), *(frames[frame][kept[frame]] for frame in some)])
    np.testing.assert_array_equal(np.concatenate([np.empty((0, 16), np.uint8), *parts]), expected)


def test_the_nearest_window_is_told_by_64_bits_then_128_then_order() -> None:
    codes = np.zeros((4, 16), np.uint8)
    codes[0, 0], codes[1, 15], codes[2, 15], codes[3, 15] = 1, 3, 1, 1
    windows = WindowMatrix.empty()
    windows.append(np.full((1, 16), 255, np.uint8), np.array([9], np.uint32))
    windows.append(codes, np.array([10, 11, 12, 13], np.uint32))
    now, query = windows.frozen(), np.zeros(16, np.uint8)
    assert [
        now.nearest(0, query[None], 64),
        now.nearest(1, query[None], 64),
        now.nearest(1, query[None], 128),
    ] == [9, 12, 10]
    with pytest.raises(IndexError, match="slot 2 of 2"):
        now.nearest(2, query[None], 64)


def test_codes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected codes of 16 bytes, got 1"):
        WindowMatrix.empty().append(np.zeros((3, 1), np.uint8), np.zeros(3, np.uint32))


@pytest.mark.parametrize("first", [0, 1, 1024, 1025])
def test_what_a_growing_array_handed_out_never_changes(first: int) -> None:
    start = np.arange(first)
    start.setflags(write=False)
    array = GrowingArray(start)
    views = []
    for size in (0, 1, 7, 1000, 3000):
        views.append((array.values, array.values.copy()))
        array.extend(np.full(size, size))
    assert len(array) == first + 4008
    assert array.values.tolist() == [*range(first), *[1], *[7] * 7, *[1000] * 1000, *[3000] * 3000]
    for view, copy in views:
        np.testing.assert_array_equal(view, copy)


def test_what_is_frozen_of_a_growing_array_grows_on_its_own() -> None:
    array = GrowingArray(np.arange(3))
    array.extend(np.arange(3))
    frozen = array.frozen()
    array.extend(np.array([7]))
    frozen.extend(np.array([8, 9]))
    assert array.values.tolist() == [0, 1, 2, 0, 1, 2, 7]
    assert frozen.values.tolist() == [0, 1, 2, 0, 1, 2, 8, 9]


def test_codes_that_growing_planes_handed_out_never_change() -> None:
    planes = GrowingPlanes()
    rng = np.random.default_rng(0)
    views = []
    for size in (0, 1, 63, 64, 1000, 5000):
        views.append((planes.planes, to_codes(planes.planes, slice(0, len(planes)))))
        planes.extend(rng.integers(0, 256, (16, size), np.uint8))
    for view, copy in views:
        np.testing.assert_array_equal(to_codes(view, slice(0, len(copy))), copy)
