"""Which guides each slice lies between, and how far from the first to the second."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.index.guides import EVERY, Guides

NAN = float("nan")


def guides(series: Sequence[int], along: Sequence[float], counts: Sequence[int] | None = None) -> Guides:
    counted = np.ones(len(series), np.int64) if counts is None else np.array(counts, np.int64)
    return Guides.of(np.array(series, np.uint64), np.array(along, np.float32), counted)


def told(made: Guides) -> list[tuple[int, int, float]]:
    return [
        (before, after, pytest.approx(share))
        for before, after, share in zip(
            made.before.tolist(), made.after.tolist(), made.shares.tolist(), strict=True
        )
    ]


def test_slices_lie_between_the_guides_of_their_series_in_the_order_of_their_places() -> None:
    made = guides([7] * 10, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    # Slot 7 is the third slice from below, slot 3 the seventh, slot 0 the last of the two that are left over.
    assert told(made) == [
        (0, 0, 0), (3, 0, 2 / 3), (3, 0, 1 / 3), (3, 3, 0), (7, 3, 0.75), (7, 3, 0.5), (7, 3, 0.25),
        (7, 7, 0), (7, 7, 0), (7, 7, 0),
    ]  # fmt: skip


def test_series_share_no_guide_whatever_the_order_of_arrival() -> None:
    made = guides([1, 2, 1, 2, 1, 2], [0, 0, 1, 1, 2, 2])
    assert (made.before % 2).tolist() == [0, 1] * 3
    assert (made.after % 2).tolist() == [0, 1] * 3


def test_slices_of_unknown_place_are_taken_in_the_order_of_arrival() -> None:
    assert told(guides([1] * 5, [NAN] * 5)) == told(guides([1] * 5, range(5)))


def test_a_frame_without_windows_is_nobodys_guide_and_its_own() -> None:
    made = guides([1] * 4, range(4), counts=[5, 5, 0, 5])
    assert made.before[2] == made.after[2] == 2
    assert 2 not in made.before[[0, 1, 3]]


def test_frames_that_came_later_are_their_own_guides() -> None:
    between = guides([1] * 4, range(4)).between(np.array([0, 3, 4, 9]))
    assert between.before.tolist() == [2, 2, 4, 9]
    assert between.after.tolist() == [2, 2, 4, 9]
    assert between.share.tolist() == [0, 0, 0, 0]
    assert told(Guides.none()) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 1)), max_size=60))
def test_every_slice_lies_between_guides_of_its_series_on_either_side(
    frames: list[tuple[int, int, int]],
) -> None:
    series, along, counts = np.array([*zip(*frames, strict=True)] or [[], [], []], np.int64)
    made = Guides.of(series.astype(np.uint64), along.astype(np.float32), counts)
    place = along.astype(np.float64)
    inside = counts > 0
    for slot in range(len(frames)):
        before, after, share = made.before[slot], made.after[slot], made.shares[slot]
        assert series[before] == series[after] == series[slot]
        assert 0 <= share < 1
        assert (share == 0) or (place[before] <= place[slot] <= place[after] and before != after)
    for number in np.unique(series[inside]):
        ours = inside & (series == number)
        chosen = np.unique(np.concatenate([made.before[ours], made.after[ours]]))
        assert len(chosen) == -(-int(ours.sum()) // EVERY)
