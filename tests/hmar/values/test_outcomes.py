"""What is recorded of a file whose frames are not all good."""

from __future__ import annotations

import pytest

from hmar.values.jobs import FAULTY_ITEM_STATES, FINAL_ITEM_STATES, ItemState
from hmar.values.outcomes import outcome_of


@pytest.mark.parametrize(
    ("total", "added", "state"),
    [(1, 1, ItemState.INDEXED), (1, 0, ItemState.UNCHANGED), (20, 3, ItemState.INDEXED)],
)
def test_without_a_bad_frame_there_is_no_reason(total: int, added: int, state: ItemState) -> None:
    assert outcome_of(total, added, {}, []) == (state, total, None)


def test_the_reason_of_a_single_frame_is_the_files() -> None:
    assert outcome_of(1, 0, {1: "Frame 1: It is cut."}, []) == (ItemState.FAILED, 0, "Frame 1: It is cut.")


def test_a_reason_is_given_once_for_all_frames_that_share_it() -> None:
    bad = {18: "Frame 18: It is cut.", 3: "Frame 3: It is cut.", 4: "Frame 4: It is cut.", 9: "No bytes."}
    assert outcome_of(20, 16, bad, []) == (
        ItemState.PARTIAL,
        16,
        "16 of 20 frames are indexed. Frames 3-4, 18: It is cut. Frame 9: No bytes.",
    )


def test_what_was_not_tried_is_said() -> None:
    outcome = outcome_of(9, 0, {1: "Cut.", 2: "Cut."}, range(4, 10))
    assert outcome == (
        ItemState.PARTIAL,
        1,
        "1 of 9 frames are indexed. Frames 1-2: Cut. Frames 4-9: not tried, for so many others are bad.",
    )


def test_no_good_frame_is_a_failure() -> None:
    outcome = outcome_of(3, 0, {1: "Cut.", 2: "Cut.", 3: "Cut."}, [])
    assert outcome == (ItemState.FAILED, 0, "0 of 3 frames are indexed. Frames 1-3: Cut.")


def test_a_reason_never_grows_with_the_file() -> None:
    bad = {2 * number: chr(65 + number % 26) * 5000 for number in range(500)}
    reason = str(outcome_of(1000, 0, bad, range(1, 1000, 2)).reason)
    assert len(reason) < 2000
    assert "other reasons." in reason


def test_faulty_states_are_final() -> None:
    assert FAULTY_ITEM_STATES < FINAL_ITEM_STATES
    assert set(ItemState) - FINAL_ITEM_STATES == {ItemState.QUEUED, ItemState.RUNNING}
