from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest

from hmar.ports import CodeIndex
from hmar.values.codes import Bits, EncodedFrame, Query
from hmar.values.entries import LogRow
from hmar.values.hits import CodeHit, Match
from hmar.values.selection import Selection
from tests.contract.examples import MODEL, OTHER_MODEL, bits_code, info

ALL = Selection()
ZERO = bits_code()
LENGTHS = pytest.mark.parametrize("bits", [64, 128])


def added(
    seq: int,
    global_ones: Sequence[int] = (),
    windows: Sequence[Sequence[int]] = ((),),
    collection: str = "default",
    model: str = MODEL,
) -> LogRow:
    """Add a frame whose codes have ones in the places given; window ids count from 100."""
    codes = np.array([bits_code(*ones) for ones in windows], np.uint8).reshape(-1, 16)
    ids = np.arange(100, 100 + len(windows), dtype=np.uint32)
    encoded = EncodedFrame(info(str(seq)), bits_code(*global_ones), codes, ids, (0.5, 0.5), model)
    return LogRow(seq, "add", seq, collection, f"mark-{seq}", encoded)


def deleted(seq: int, entry_id: int) -> LogRow:
    return LogRow(seq, "delete", entry_id, "default", f"mark-{seq}", None)


def asked(windows: int = 1, gate: tuple[float, float] = (0.25, 0.75)) -> Query:
    return Query(ZERO, np.zeros((windows, 16), np.uint8), gate)


def searches(index: CodeIndex) -> list[Callable[[Query, int, Bits, Selection], list[CodeHit]]]:
    return [index.search_global, index.search_windows, index.search_fused]


def ids(hits: Sequence[CodeHit]) -> list[int]:
    return [hit.entry_id for hit in hits]


@pytest.fixture
def index(new_index: Callable[[], CodeIndex]) -> CodeIndex:
    return new_index()


@LENGTHS
def test_an_empty_index_finds_nothing(index: CodeIndex, bits: Bits) -> None:
    for search in searches(index):
        assert search(asked(), 10, bits, ALL) == []
        assert search(asked(), 10, bits, Selection("default", frozenset({1}))) == []
    stats = index.stats()
    assert (stats.frames, stats.windows, stats.last_seq, stats.model_fingerprint) == (0, 0, 0, MODEL)


@LENGTHS
def test_hits_carry_both_distances_at_the_bits_asked_for_and_the_nearest_window(
    index: CodeIndex, bits: Bits
) -> None:
    index.apply([added(1, [0, 1, 70], [[0, 1, 2], [5, 80, 81], [5, 6]])])
    expected = {64: CodeHit(1, 2, 1.0, (Match(101, 1.0),)), 128: CodeHit(1, 3, 2.0, (Match(102, 2.0),))}[bits]
    for search in searches(index):
        assert search(asked(), 10, bits, ALL) == [expected]


@LENGTHS
def test_windows_as_near_at_the_bits_asked_for_are_told_apart_by_128_bits_then_by_order(
    index: CodeIndex, bits: Bits
) -> None:
    index.apply([added(1, (), [[3, 100], [4], [5]])])
    assert index.search_windows(asked(), 1, bits, ALL)[0].matches[0].window_id == 101


def test_ties_go_to_the_nearer_at_128_bits_then_to_the_lower_entry_also_where_k_cuts_them(
    index: CodeIndex,
) -> None:
    index.apply([added(1, [0, 99], [[0, 99]]), added(2, [1], [[1]]), added(3, [2], [[2]]), added(4)])
    for search in searches(index):
        for k in range(1, 6):
            assert ids(search(asked(), k, 64, ALL)) == [4, 2, 3, 1][:k]
            assert ids(search(asked(), k, 128, ALL)) == [4, 2, 3, 1][:k]


@LENGTHS
def test_when_all_codes_are_equal_the_lowest_entries_win(index: CodeIndex, bits: Bits) -> None:
    index.apply([added(seq) for seq in range(1, 40)])
    for search in searches(index):
        assert ids(search(asked(), 7, bits, ALL)) == [1, 2, 3, 4, 5, 6, 7]
        assert ids(search(asked(), 1000, bits, ALL)) == list(range(1, 40))


@LENGTHS
def test_a_frame_without_windows_is_ranked_by_its_global_distance_alone(index: CodeIndex, bits: Bits) -> None:
    index.apply([added(1, [0, 1], []), added(2, range(8), [[0]]), added(3, (), [range(60)])])
    bare = CodeHit(1, 2, float(bits))
    assert index.search_global(asked(), 10, bits, ALL)[1] == bare
    assert ids(index.search_windows(asked(), 10, bits, ALL)) == [2, 3]
    # Fused: entry 1 is 2; entry 2 is 0.25 * 8 + 0.75 * 1 = 2.75; entry 3 is 0.75 * 60 = 45.
    fused = index.search_fused(asked(), 10, bits, ALL)
    assert ids(fused) == [1, 2, 3]
    assert fused[0] == bare


@LENGTHS
def test_the_local_distance_of_several_query_windows_is_the_mean_of_the_nearest(
    index: CodeIndex, bits: Bits
) -> None:
    query = Query(ZERO, np.stack([bits_code(), bits_code(1, 2, 3), bits_code(9)]), (0.5, 0.5))
    index.apply([added(1, (), [[1, 2], [9, 10]]), added(2, (), [[1, 2, 3]])])
    # Entry 1: 2 (to either), 1 (to the first), 1 (to the second). Entry 2: 3, 0, 4.
    assert index.search_windows(query, 2, bits, ALL) == [
        CodeHit(1, 0, 4 / 3, (Match(100, 4 / 3),)),
        CodeHit(2, 0, 7 / 3, (Match(100, 7 / 3),)),
    ]


@LENGTHS
def test_the_local_distance_of_several_regions_is_the_mean_over_them_and_each_has_its_window(
    index: CodeIndex, bits: Bits
) -> None:
    windows = np.stack([bits_code(), bits_code(1, 2, 3), bits_code(9, 10), bits_code(9)])
    query = Query(ZERO, windows, (0.5, 0.5), region_typicality=(None, None))
    index.apply([added(1, (), [[1, 2], [9, 10]]), added(2, (), [[1, 2, 3]]), added(3, (), [])])
    # Entry 1: (2 + 1) / 2 and (0 + 1) / 2. Entry 2: (3 + 0) / 2 and (5 + 4) / 2.
    assert index.search_windows(query, 3, bits, ALL) == [
        CodeHit(1, 0, 1.0, (Match(100, 1.5), Match(101, 0.5))),
        CodeHit(2, 0, 3.0, (Match(100, 1.5), Match(100, 4.5))),
    ]
    bare = {hit.entry_id: hit for hit in index.search_global(query, 3, bits, ALL)}[3]
    assert bare == CodeHit(3, 0, float(bits))


@LENGTHS
def test_bits_with_weights_count_as_much_as_these_and_distances_are_bits(
    index: CodeIndex, bits: Bits
) -> None:
    heavy, light = np.zeros((2, 128), np.uint8)
    heavy[[0, 1, 64]], light[[0, 1, 2, 64]] = (90, 30, 120), (15, 45, 60, 120)
    query = Query(
        ZERO,
        np.zeros((2, 16), np.uint8),
        (0.5, 0.5),
        region_typicality=(None,),
        global_weights=heavy,
        window_weights=np.stack([heavy, light]),
    )
    index.apply([added(1, [0], [[0], [1, 70]]), added(2, [1, 2, 100], [[1], [2]]), added(3, [1], [])])
    # 15/8 is what a bit counts. Entry 1: 90; its windows 30 and 15. Entry 2: 30; windows 0 and 45.
    assert index.search_windows(query, 5, bits, ALL) == [
        CodeHit(1, 48.0, 12.0, (Match(101, 12.0),)),
        CodeHit(2, 16.0, 12.0, (Match(101, 12.0),)),
    ]
    assert ids(index.search_global(query, 5, bits, ALL)) == [2, 3, 1]
    assert ids(index.search_fused(query, 5, bits, ALL)) == [2, 3, 1]
    assert ids(index.search_global(query, 1, bits, Selection(exclude=frozenset({2})))) == [3]


@LENGTHS
def test_a_query_without_windows_is_answered_by_global_codes(index: CodeIndex, bits: Bits) -> None:
    index.apply([added(1, [0, 1]), added(2, [0])])
    assert index.search_windows(asked(windows=0), 5, bits, ALL) == []
    expected = [CodeHit(2, 1, float(bits)), CodeHit(1, 2, float(bits))]
    assert index.search_fused(asked(windows=0), 5, bits, ALL) == expected
    assert index.search_global(asked(windows=0), 5, bits, ALL) == expected


@LENGTHS
def test_a_selection_leaves_out_other_collections_and_excluded_entries(index: CodeIndex, bits: Bits) -> None:
    index.apply([added(seq, collection="ab"[seq % 2]) for seq in range(1, 9)])
    for search in searches(index):
        assert ids(search(asked(), 9, bits, Selection("a"))) == [2, 4, 6, 8]
        assert ids(search(asked(), 2, bits, Selection("a", frozenset({2, 3, 99})))) == [4, 6]
        assert ids(search(asked(), 9, bits, Selection(None, frozenset(range(1, 8))))) == [8]
        assert search(asked(), 9, bits, Selection("c")) == []
        assert search(asked(), 9, bits, Selection("a", frozenset(range(99)))) == []


@LENGTHS
def test_deleted_entries_are_never_found_again(index: CodeIndex, bits: Bits) -> None:
    index.apply([added(seq) for seq in range(1, 11)])
    index.apply([deleted(11, 3), deleted(12, 3), deleted(13, 77)])
    assert index.stats().frames == index.stats().windows == 9
    index.apply([deleted(seq, seq - 10) for seq in range(14, 20)])
    for search in searches(index):
        assert ids(search(asked(), 20, bits, ALL)) == [1, 2, 10]
    index.apply([deleted(20, 1), deleted(21, 2), deleted(22, 10), added(23)])
    for search in searches(index):
        assert ids(search(asked(), 20, bits, ALL)) == [23]


def test_an_add_that_was_deleted_since_changes_nothing(index: CodeIndex) -> None:
    index.apply([LogRow(1, "add", 1, "default", "mark-1", None), deleted(2, 1), added(3)])
    assert ids(index.search_global(asked(), 9, 128, ALL)) == [3]
    assert index.stats().last_seq == 3


def test_an_add_and_its_delete_in_one_batch_leave_nothing(index: CodeIndex) -> None:
    index.apply([added(1), deleted(2, 1), added(3), deleted(4, 3)])
    assert index.search_fused(asked(), 9, 128, ALL) == []
    assert index.stats().frames == 0


def test_rows_of_other_models_only_move_the_log_on(index: CodeIndex) -> None:
    index.apply([added(1), added(2, model=OTHER_MODEL), deleted(3, 2)])
    stats = index.stats()
    assert (stats.frames, stats.windows, stats.last_seq) == (1, 1, 3)
    assert ids(index.search_global(asked(), 9, 128, ALL)) == [1]


def test_applying_rows_again_changes_nothing(index: CodeIndex) -> None:
    rows = [added(1), added(2), deleted(3, 1), added(4)]
    index.apply(rows)
    before = index.stats()
    index.apply(rows)
    index.apply(rows[2:])
    assert index.stats() == before
    assert ids(index.search_windows(asked(), 9, 128, ALL)) == [2, 4]


def test_an_index_knows_the_mark_of_the_last_row_applied(index: CodeIndex) -> None:
    assert index.stats().last_mark == ""
    index.apply([added(1), added(2, model=OTHER_MODEL)])
    assert index.stats().last_mark == "mark-2"
    index.apply([added(1)])
    assert index.stats().last_mark == "mark-2"


def test_a_cleared_index_begins_again_with_the_first_row(new_index: Callable[[], CodeIndex]) -> None:
    index = new_index()
    empty = index.stats()
    index.clear()
    index.apply([added(1), added(2)])
    index.snapshot()
    index.clear()
    assert index.stats() == new_index().stats() == empty
    assert index.search_fused(asked(), 9, 128, ALL) == []
    index.apply([added(1, [0])])
    assert ids(index.search_global(asked(), 9, 128, ALL)) == [1]
    index.snapshot()
    assert new_index().stats().last_seq in (0, 1)


def test_a_k_below_one_finds_nothing(index: CodeIndex) -> None:
    index.apply([added(1)])
    for search in searches(index):
        assert search(asked(), 0, 128, ALL) == []


def test_numbers_in_hits_are_plain_python(index: CodeIndex) -> None:
    index.apply([added(1), added(2, windows=[])])
    for hit in index.search_fused(asked(3), 2, 64, ALL):
        kinds: list[Any] = [type(hit.entry_id), type(hit.global_distance), type(hit.local_distance)]
        assert kinds == [int, float, float]
        for match in hit.matches:
            assert [type(value) for value in match] == [int, float]


def test_a_snapshot_changes_no_answer(new_index: Callable[[], CodeIndex]) -> None:
    index = new_index()
    index.snapshot()
    index.apply([added(seq, range(seq), [range(seq), [seq]]) for seq in range(1, 8)])
    index.apply([deleted(8, 2)])
    index.snapshot()
    index.apply([added(9, [1], [])])
    answers = [search(asked(2), 5, 64, ALL) for search in searches(index)]
    index.snapshot()
    again = new_index()
    # An adapter without snapshots starts from nothing, and the log brings it here.
    if again.stats().last_seq == 0:
        again = cast(CodeIndex, index)
    assert [search(asked(2), 5, 64, ALL) for search in searches(again)] == answers
    assert again.stats() == index.stats()
