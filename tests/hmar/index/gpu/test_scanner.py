"""The card's scan against loops over bits, and against the processor's."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pytest

from hmar.index.gpu import kernels, scan
from hmar.index.gpu import scanner as module
from hmar.index.gpu.scanner import GpuScanner
from hmar.index.scan import Scanner
from hmar.index.weighted import QueryCodes
from hmar.index.windows import Segment, WindowMatrix
from hmar.values.codes import Bits
from tests.hmar.index.test_scan import archive, drawn, pairs, plain_nearest
from tests.hmar.index.test_weighted import weighted

LENGTHS = pytest.mark.parametrize("bits", [64, 128])
COUNTS = [3, 0, 1, 5, 2, 7, 0, 4, 1, 2]


def card(few_frames: int = 0) -> GpuScanner:
    return GpuScanner(Scanner(compiled=False), few_frames)


class NoProcessor(Scanner):
    """A processor that must not be asked."""

    def nearest(self, *_arguments: object) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("the processor was asked")

    within = nearest


def codes_with_ties(rng: np.random.Generator, ones: float) -> tuple[WindowMatrix, Sequence[np.ndarray]]:
    windows, frames = archive(COUNTS, 6, rng, ones)
    matrix = WindowMatrix(windows.segments[0])
    for codes in frames[6:]:
        matrix.append(codes, np.arange(len(codes), dtype=np.uint32))
    return matrix, frames


@pytest.mark.slow
@LENGTHS
@pytest.mark.parametrize("ones", [0.02, 0.5])
def test_all_frames_as_near_as_the_kth_are_found_with_their_sums(
    bits: Bits, ones: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    matrix, frames = codes_with_ties(rng, ones)
    windows, scanner = matrix.frozen(), GpuScanner(NoProcessor(), 0)
    every = range(len(frames))
    monkeypatch.setattr(kernels, "MOST_QUERIES", 2)  # so that three windows take two launches
    monkeypatch.setattr(scan, "MANY_FRAMES", 5)  # so that some are collected, and some are picked out
    for queries in (drawn(rng, 1, ones), drawn(rng, 3, ones)):
        for slots, asked, k in [
            (every, None, 1),
            (every, None, 3),
            ([0, 3, 4, 9], np.array([0, 3, 4, 9]), 2),
            ([0, 3, 4, 9], np.array([0, 3, 4, 9]), 100),
            ([1], np.array([1]), 1),
        ]:
            expected = plain_nearest(frames, queries, k, bits, slots)
            assert pairs(scanner.nearest(windows, queries, k, bits, asked)) == expected
        everything = plain_nearest(frames, queries, 100, bits, every)
        assert pairs(scanner.sums(windows, queries, bits)) == everything
        radius = sorted(value for _, value in everything)[2]
        near = [(slot, value) for slot, value in everything if value <= radius]
        assert pairs(scanner.within(windows, queries, radius, bits)) == near
        assert pairs(scanner.within(windows, queries, -1, bits)) == []
    one, several = drawn(rng, 1, ones), drawn(rng, 3, ones)
    found = scanner.nearest_of_each(windows, [one, several], 2, bits)
    assert [pairs(each) for each in found] == [
        plain_nearest(frames, queries, 2, bits, every) for queries in (one, several)
    ]
    scanner.close()


@pytest.mark.slow
@LENGTHS
def test_weights_of_bits_count_as_on_the_processor(bits: Bits) -> None:
    rng = np.random.default_rng(5)
    matrix, _ = codes_with_ties(rng, 0.3)
    windows, scanner, processor = matrix.frozen(), GpuScanner(NoProcessor(), 0), Scanner()
    for count in (1, 5):
        queries: QueryCodes = weighted(rng, count)
        expected = processor.nearest(windows, queries, 3, bits)
        assert pairs(scanner.nearest(windows, queries, 3, bits)) == pairs(expected)
        assert pairs(scanner.sums(windows, queries, bits)) == pairs(processor.sums(windows, queries, bits))


def test_the_card_follows_what_is_added_and_a_view_of_before_stays_what_it_was() -> None:
    rng = np.random.default_rng(6)
    matrix, frames = codes_with_ties(rng, 0.5)
    held, scanner, query = list(frames), GpuScanner(NoProcessor(), 0), drawn(rng, 2, 0.5)
    before = matrix.frozen()
    for count in (2, 0, 60, 1):  # the third no longer fits
        assert pairs(scanner.sums(matrix.frozen(), query, 128)) == plain_nearest(
            held, query, 99, 128, range(len(held))
        )
        held.append(drawn(rng, count, 0.5))
        matrix.append(held[-1], np.arange(count, dtype=np.uint32))
    assert pairs(scanner.sums(matrix.frozen(), query, 128)) == plain_nearest(
        held, query, 99, 128, range(len(held))
    )
    assert pairs(scanner.sums(before, query, 128)) == plain_nearest(
        frames, query, 99, 128, range(len(frames))
    )


def test_the_processor_scans_few_frames_and_what_is_still_being_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    matrix, frames = codes_with_ties(rng, 0.5)
    windows, query = matrix.frozen(), drawn(rng, 2, 0.5)
    scanner = card(few_frames=4)
    few = np.array([0, 3, 4])
    assert pairs(scanner.sums(windows, query, 128, few)) == plain_nearest(frames, query, 9, 128, few.tolist())
    assert scanner.gpu_windows() == 0

    monkeypatch.setattr(module, "AT_ONCE_WINDOWS", 10)
    expected = plain_nearest(frames, query, 99, 128, range(len(frames)))
    assert pairs(scanner.sums(windows, query, 128)) == expected
    scanner.settle()
    assert scanner.gpu_windows() == windows.windows
    assert pairs(scanner.sums(windows, query, 128)) == expected

    # Another snapshot takes the place of the first, which is not copied again.
    other, others = archive(COUNTS[::-1], 10, rng, 0.5)
    assert pairs(scanner.sums(other, query, 128)) == plain_nearest(others, query, 99, 128, range(10))
    scanner.settle()
    assert pairs(scanner.sums(windows, query, 128)) == expected
    scanner.settle()
    assert pairs(scanner.sums(other, query, 128)) == plain_nearest(others, query, 99, 128, range(10))
    assert scanner.gpu_windows() == other.windows
    scanner.close()


def test_a_small_snapshot_takes_the_place_of_the_one_before_at_once() -> None:
    rng = np.random.default_rng(10)
    scanner, query = card(), drawn(rng, 1, 0.5)
    (first, frames), (second, others) = archive([3, 4], 2, rng, 0.5), archive([2, 2, 2], 2, rng, 0.5)
    for windows, held in ((first, frames), (second, others), (first, frames)):
        found = scanner.sums(windows, query, 128)
        assert pairs(found) == plain_nearest(held, query, 99, 128, range(len(held)))
    assert scanner.gpu_windows() == second.windows


def test_a_search_on_rows_from_before_the_first_snapshot_drops_nothing_that_came_since() -> None:
    rng = np.random.default_rng(12)
    growing, query = WindowMatrix.empty(), drawn(rng, 1, 0.5)
    codes = drawn(rng, 4, 0.5)
    growing.append(codes, np.arange(4, dtype=np.uint32))
    rows = growing.frozen()
    snapshot, frames = archive([3, 4], 2, rng, 0.5)
    scanner = card()
    for windows, held in ((rows, [codes]), (snapshot, frames), (rows, [codes])):
        found = scanner.sums(windows, query, 128)
        assert pairs(found) == plain_nearest(held, query, 99, 128, range(len(held)))
    assert scanner.gpu_windows() == snapshot.windows


def test_what_the_card_held_goes_first_where_there_is_no_room_for_both(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(11)
    scanner, query = card(), drawn(rng, 1, 0.5)
    (first, _), (second, others) = archive([3, 4], 2, rng, 0.5), archive([9, 9], 2, rng, 0.5)
    scanner.sums(first, query, 128)
    monkeypatch.setattr(module, "AT_ONCE_WINDOWS", 10)
    monkeypatch.setattr(kernels, "free_bytes", lambda: 0.0 if scanner.gpu_windows() else 1e9)
    for _ in range(2):
        found = scanner.sums(second, query, 128)
        assert pairs(found) == plain_nearest(others, query, 99, 128, range(2))
        scanner.settle()
    assert scanner.gpu_windows() == second.windows
    assert not caplog.records


def test_a_card_without_room_is_told_of_once_and_asked_again_with_the_next_snapshot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(8)
    matrix, frames = codes_with_ties(rng, 0.5)
    scanner, query = card(), drawn(rng, 2, 0.5)
    with monkeypatch.context() as full:
        full.setattr(kernels, "free_bytes", lambda: 100e6)
        for _ in range(2):
            found = scanner.sums(matrix.frozen(), query, 128)
            assert pairs(found) == plain_nearest(frames, query, 99, 128, range(len(frames)))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "0.1 GB of its memory are free" in caplog.text
    assert scanner.gpu_windows() == 0
    other, others = archive([2, 3], 2, rng, 0.5)
    assert pairs(scanner.sums(other, query, 128)) == plain_nearest(others, query, 99, 128, range(2))
    assert scanner.gpu_windows() == 5


def test_what_fails_on_the_card_is_the_processors_to_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(9)
    matrix, frames = codes_with_ties(rng, 0.5)
    windows, scanner, query = matrix.frozen(), card(), drawn(rng, 2, 0.5)

    def broken(*_arguments: object) -> None:
        raise RuntimeError("unspecified launch failure")

    monkeypatch.setattr(kernels, "add_minima", broken)
    for _ in range(2):
        found = scanner.nearest(windows, query, 2, 128)
        assert pairs(found) == plain_nearest(frames, query, 2, 128, range(len(frames)))
    assert [record.getMessage() for record in caplog.records] == [
        "The GPU cannot scan (RuntimeError): the processor does, with the same answers."
    ]


def test_nothing_is_found_in_an_empty_archive() -> None:
    scanner, nothing = GpuScanner(Scanner(), 0), WindowMatrix.empty().frozen()
    assert pairs(scanner.nearest(nothing, np.zeros((1, 16), np.uint8), 5, 128)) == []
    no_windows, _ = archive([0, 0], 2, np.random.default_rng(0), 0.5)
    assert pairs(scanner.nearest(no_windows, np.zeros((1, 16), np.uint8), 5, 128)) == []


def test_states_of_one_tail_have_one_source_and_other_segments_have_their_own() -> None:
    matrix = WindowMatrix.empty()
    base, tail = matrix.frozen().segments
    matrix.append(np.zeros((3, 16), np.uint8), np.arange(3, dtype=np.uint32))
    assert matrix.frozen().segments[1].source is tail.source
    assert matrix.frozen().segments[0].source is base.source
    again = Segment.empty()
    assert len({base.source, tail.source, again.source}) == 3
