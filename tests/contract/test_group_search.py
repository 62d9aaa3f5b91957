"""Searching with a group of frames, over every adapter of the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from hmar.ports import CodeIndex
from hmar.values.codes import Bits, EncodedFrame
from hmar.values.entries import LogRow
from hmar.values.groups import CodeGroup, CodePair, GroupQuery
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, bits_code, info

BY_SERIES = Selection(group_by="series")
LENGTHS = pytest.mark.parametrize("bits", [64, 128])


def added(seq: int, series: str, ones: Sequence[int], windows: Sequence[Sequence[int]] = ()) -> LogRow:
    codes = np.array([bits_code(*places) for places in windows], np.uint8).reshape(-1, 16)
    ids = np.arange(100, 100 + len(windows), dtype=np.uint32)
    frame = info(str(seq), series_uid=series, study_uid=series[0], patient_key=None)
    return LogRow(
        seq, "add", seq, "c", "m", EncodedFrame(frame, bits_code(*ones), codes, ids, (0.5, 0.5), MODEL)
    )


def query(*frames: Sequence[int], windows: Sequence[Sequence[Sequence[int]]] = (), **how: Any) -> GroupQuery:
    return GroupQuery(
        np.stack([bits_code(*ones) for ones in frames]),
        [np.array([bits_code(*ones) for ones in each], np.uint8).reshape(-1, 16) for each in windows]
        or [np.empty((0, 16), np.uint8)] * len(frames),
        **({"aggregation": "late_interaction", "mode": "global"} | how),
    )


@pytest.fixture
def index(new_index: Callable[[], CodeIndex]) -> CodeIndex:
    index = new_index()
    index.apply(
        [
            added(1, "1.a", [0, 1], [[0], [9]]),
            added(2, "1.b", [0], [[0, 1, 2]]),
            added(3, "1.a", [5, 6, 7]),
            added(4, "2.a", [0], [[0, 100]]),
            added(5, "1.b", [5, 100], [[9, 10]]),
        ]
    )
    return index


ASKED = query([0], [5, 6], windows=[[[0], [9]], [[0, 1]]])
FIRST = CodeGroup(1, 2, 1.0, (CodePair(0, 1, 1.0), CodePair(1, 3, 1.0)))
THIRD = CodeGroup(4, 1, 1.5, (CodePair(0, 4, 0.0), CodePair(1, 4, 3.0)))


def test_each_query_frame_is_paired_with_the_nearest_frame_of_a_group(index: CodeIndex) -> None:
    second = CodeGroup(2, 2, 1.0, (CodePair(0, 2, 0.0), CodePair(1, 5, 2.0)))
    assert index.search_groups(ASKED, 9, 128, BY_SERIES) == [FIRST, second, THIRD]


def test_at_64_bits_the_rest_of_the_code_counts_in_ties_alone(index: CodeIndex) -> None:
    nearer = CodeGroup(2, 2, 0.5, (CodePair(0, 2, 0.0), CodePair(1, 5, 1.0)))
    assert index.search_groups(ASKED, 9, 64, BY_SERIES) == [nearer, FIRST, THIRD]
    index.apply([added(6, "3.a", [0, 99]), added(7, "3.b", [0]), added(8, "3.b", [0, 98])])
    found = index.search_groups(query([0]), 9, 64, BY_SERIES)
    # All but entry 1 are at 0; entries 2, 4 and 7 are at 0 at 128 bits, too.
    assert [group.entry_id for group in found] == [2, 4, 7, 6, 1]


def test_by_windows_frames_are_as_far_apart_as_the_mean_over_the_query_frames_windows(
    index: CodeIndex,
) -> None:
    local = query([0], [5, 6], [1], windows=[[[0], [9]], [[0, 1]], []], mode="local")
    assert index.search_groups(local, 9, 128, BY_SERIES) == [
        CodeGroup(1, 1, 0.5, (CodePair(0, 1, 0.0), CodePair(1, 1, 1.0))),  # entry 3 has no windows
        CodeGroup(2, 2, 1.5, (CodePair(0, 5, 2.0), CodePair(1, 2, 1.0))),
        CodeGroup(4, 1, 2.0, (CodePair(0, 4, 2.0), CodePair(1, 4, 2.0))),
    ]


def test_what_has_no_windows_is_not_found_by_windows(index: CodeIndex) -> None:
    index.apply([added(6, "3.a", [0])])
    local = query([0], windows=[[[0]]], mode="local")
    assert [group.entry_id for group in index.search_groups(local, 9, 128, BY_SERIES)] == [1, 4, 2]
    assert index.search_groups(query([0], mode="local"), 9, 128, BY_SERIES) == []


def test_mean_codes_are_compared_without_pairs(index: CodeIndex) -> None:
    index.apply([added(6, "3.a", [0, 5]), added(7, "3.a", [0, 5]), added(8, "3.a", [7])])
    asked = query([0, 5, 6], [0, 5], aggregation="mean")
    assert index.search_groups(asked, 9, 128, BY_SERIES) == [
        CodeGroup(6, 3, 0.0, ()),
        CodeGroup(4, 1, 1.0, ()),
        CodeGroup(1, 2, 2.0, ()),
        CodeGroup(2, 2, 2.0, ()),
    ]


@LENGTHS
def test_a_selection_is_applied_before_frames_are_paired(index: CodeIndex, bits: Bits) -> None:
    chosen = Selection(group_by="series", exclude=frozenset({1, 4}))
    found = index.search_groups(query([0]), 9, bits, chosen)
    assert [(group.entry_id, group.frames, group.distance) for group in found] == [(2, 2, 0), (3, 1, 4)]
    assert index.search_groups(query([0]), 9, bits, Selection("other", group_by="series")) == []


def test_studies_and_patients_are_groups_too(index: CodeIndex) -> None:
    for group_by in ("study", "patient"):
        found = index.search_groups(ASKED, 9, 128, Selection(group_by=group_by))
        assert [(group.entry_id, group.frames, group.distance) for group in found] == [
            (1, 4, 0.5),
            (4, 1, 1.5),
        ]


@pytest.mark.parametrize("how", [{}, {"mode": "local"}, {"aggregation": "mean"}])
def test_k_cuts_the_same_order(index: CodeIndex, how: dict[str, Any]) -> None:
    asked = query([0], [5, 6], windows=[[[0], [9]], [[0, 1]]], **how)
    whole = index.search_groups(asked, 9, 64, BY_SERIES)
    assert len(whole) == 3
    for k in range(4):
        assert index.search_groups(asked, k, 64, BY_SERIES) == whole[:k]


def test_deleted_frames_are_neither_paired_nor_counted(index: CodeIndex) -> None:
    index.apply([LogRow(6, "delete", 1, "c", "m", None), LogRow(7, "delete", 4, "c", "m", None)])
    found = index.search_groups(query([0]), 9, 128, BY_SERIES)
    assert [(group.entry_id, group.frames, group.distance) for group in found] == [(2, 2, 0), (3, 1, 4)]


def test_a_selection_that_does_not_group_is_refused(index: CodeIndex) -> None:
    with pytest.raises(ValueError, match="group"):
        index.search_groups(ASKED, 9, 128, Selection())


def test_codes_of_what_a_selection_leaves_out_do_not_come_back(index: CodeIndex) -> None:
    assert [each.entry_id for each in index.codes([5, 1, 2], Selection("c", frozenset({2})))] == [5, 1]
    assert [each.entry_id for each in index.codes([5, 1], Selection(not_series=frozenset({"1.b"})))] == [1]
    assert index.codes([5, 1], Selection("other")) == []


def test_codes_of_live_entries_come_back_in_the_order_asked_for(new_index: Callable[[], CodeIndex]) -> None:
    index = new_index()
    rows = [added(1, "1.a", [0, 100], [[1], [2, 65]]), added(2, "1.a", [3]), added(3, "1.a", [4], [[5]])]
    index.apply([*rows, LogRow(4, "delete", 2, "c", "m", None)])
    index.snapshot()
    found = index.codes([3, 2, 77, 1], Selection())
    assert [codes.entry_id for codes in found] == [3, 1]
    for codes in found:
        encoded = rows[codes.entry_id - 1].encoded
        assert encoded is not None
        assert np.array_equal(codes.global_code, encoded.global_code)
        assert np.array_equal(codes.window_codes, encoded.window_codes)
        assert np.array_equal(codes.window_ids, encoded.window_ids)
    assert index.codes([], Selection()) == []
