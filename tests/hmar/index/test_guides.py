"""Which guides each slice lies between, and how far from the first to the second."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.index.guides import EVERY, LIKE_BITS, Guides, guides_of
from hmar.index.hamming import code_words

NAN = float("nan")


def guides(
    series: Sequence[int],
    along: Sequence[float],
    counts: Sequence[int] | None = None,
    ones: Sequence[int] | None = None,
) -> Guides:
    """Choose guides of frames whose global codes begin with so many ones."""
    counted = np.ones(len(series), np.int64) if counts is None else np.array(counts, np.int64)
    codes = np.zeros((len(series), 16), np.uint8)
    for code, many in zip(codes, ones or [], strict=False):
        code[:] = np.packbits(np.arange(128) < many)
    return guides_of(np.array(series, np.uint64), np.array(along, np.float32), counted, code_words(codes))


def told(made: Guides) -> list[tuple[int, int, object]]:
    """Return the slots of both guides of each frame, and the share."""
    before, after = made.slots[made.before].tolist(), made.slots[made.after].tolist()
    return [*zip(before, after, map(pytest.approx, made.shares.tolist()), strict=True)]


def test_slices_lie_between_the_guides_of_their_series_in_the_order_of_their_places() -> None:
    made = guides([7] * 10, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    # Slot 7 is the third slice from below, slot 3 the seventh, slot 0 the last of the two that are left over.
    assert told(made) == [
        (0, 0, 0), (3, 0, 2 / 3), (3, 0, 1 / 3), (3, 3, 0), (7, 3, 0.75), (7, 3, 0.5), (7, 3, 0.25),
        (7, 7, 0), (7, 7, 0), (7, 7, 0),
    ]  # fmt: skip
    assert made.slots.tolist() == [0, 3, 7]


def test_series_share_no_guide_whatever_the_order_of_arrival() -> None:
    made = guides([1, 2, 1, 2, 1, 2], [0, 0, 1, 1, 2, 2])
    assert (made.slots[made.before] % 2).tolist() == [0, 1] * 3
    assert (made.slots[made.after] % 2).tolist() == [0, 1] * 3


def test_slices_of_unknown_place_are_taken_in_the_order_of_arrival() -> None:
    assert told(guides([1] * 5, [NAN] * 5)) == told(guides([1] * 5, range(5)))


def test_a_frame_without_windows_is_no_guide_and_has_none() -> None:
    made = guides([1] * 4, range(4), counts=[5, 5, 0, 5])
    assert (made.before[2], made.after[2], made.shares[2]) == (-1, -1, 0)
    assert 2 not in made.slots
    assert guides([1, 1], [0, 1], counts=[0, 0]).slots.tolist() == []


def test_a_frame_that_looks_like_no_guide_is_one_for_itself_alone() -> None:
    ones = [0, 0, 0, 0, LIKE_BITS + 1, 0, 0, 0]
    made = guides([1] * 8, range(8), ones=ones)
    assert made.slots.tolist() == [2, 4, 6]
    assert told(made) == [
        (2, 2, 0), (2, 2, 0), (2, 2, 0), (2, 6, 0.25), (4, 4, 0), (2, 6, 0.75), (6, 6, 0), (6, 6, 0),
    ]  # fmt: skip
    assert guides([1] * 8, range(8), ones=[LIKE_BITS * (at % 2) for at in range(8)]).slots.tolist() == [2, 6]


def test_where_the_picture_changes_a_frame_has_the_guide_that_it_looks_like() -> None:
    made = guides([1] * 8, range(8), ones=[0] * 4 + [LIKE_BITS + 1] * 4)
    assert told(made) == [(2, 2, 0)] * 4 + [(6, 6, 0)] * 4


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 1)), max_size=60))
def test_every_slice_lies_between_guides_of_its_series_on_either_side(
    frames: list[tuple[int, int, int]],
) -> None:
    series, along, counts = np.array([*zip(*frames, strict=True)] or [[], [], []], np.int64)
    made = guides(series.tolist(), along.tolist(), counts.tolist())
    inside = counts > 0
    for slot in np.flatnonzero(inside).tolist():
        before, after = made.slots[made.before[slot]], made.slots[made.after[slot]]
        assert series[before] == series[after] == series[slot]
        assert 0 <= made.shares[slot] < 1
        assert made.shares[slot] == 0 or along[before] <= along[slot] <= along[after]
    for number in np.unique(series[inside]):
        ours = inside & (series == number)
        assert (series[made.slots] == number).sum() == -(-int(ours.sum()) // EVERY)
    assert (np.diff(made.slots) > 0).all()
