"""Both kinds of kernels against loops over int.bit_count, on codes with few bits set so that ties abound."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index import kernels, portable, scan
from hmar.index.prefix import Prefix
from hmar.index.scan import Scanner, cut, load_kernels, runs_of
from hmar.index.windows import Segment, WindowMatrix, Windows, offsets_of
from hmar.values.codes import Bits

LENGTHS = pytest.mark.parametrize("bits", [64, 128])
KINDS = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "numpy"])
Frames = Sequence[np.ndarray]


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan.cut, "__defaults__", (40,))
        yield


def drawn(rng: np.random.Generator, count: int, ones: float) -> np.ndarray:
    return np.packbits(rng.random((count, 128)) < ones, axis=1)


def archive(
    counts: Sequence[int], base: int, rng: np.random.Generator, ones: float
) -> tuple[Windows, Frames]:
    """Return frames of so many windows each, the first of them in the base, the others in the tail."""
    frames = [drawn(rng, count, ones) for count in counts]
    base = min(base, len(frames))
    together = np.concatenate([np.empty((0, 16), np.uint8), *frames[:base]])
    ids = np.arange(len(together), dtype=np.uint32)
    matrix = WindowMatrix(Segment.of(together, ids, np.array(counts[:base], np.int64)))
    for codes in frames[base:]:
        matrix.append(codes, np.arange(len(codes), dtype=np.uint32))
    return matrix.frozen(), frames


def plain_sum(frame: np.ndarray, queries: np.ndarray, bits: int) -> int:
    def number(code: np.ndarray) -> int:
        return int.from_bytes(code[: bits // 8].tobytes())

    return sum(min((number(code) ^ number(query)).bit_count() for code in frame) for query in queries)


def plain_nearest(
    frames: Frames, queries: np.ndarray, k: int, bits: int, slots: Sequence[int]
) -> list[tuple[int, int]]:
    sums = {slot: plain_sum(frames[slot], queries, bits) for slot in slots if len(frames[slot])}
    reach = sorted(sums.values())[:k][-1:]
    return [(slot, value) for slot, value in sums.items() if value <= reach[0]]


def pairs(found: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, int]]:
    return list(zip(found[0].tolist(), found[1].tolist(), strict=True))


COUNTS = st.lists(st.sampled_from([0, 1, 2, 31, 32, 33, 63, 64, 65, 130]), max_size=14)
GAPS = st.sampled_from([0, 1, scan.GAP_FRAMES])


def selections(frames: int, data: st.DataObject) -> list[list[int]]:
    """Return all of some frames, none, every other, one alone, and some that are drawn."""
    every = list(range(frames))
    if not every:
        return [every]
    one = data.draw(st.sampled_from(every))
    return [every, [], every[::2], [one], sorted(data.draw(st.sets(st.sampled_from(every))))]


@pytest.mark.slow
@KINDS
@LENGTHS
@settings(deadline=None, max_examples=60)
@given(
    counts=COUNTS,
    base=st.integers(0, 14),
    windows=st.integers(1, 12),
    k=st.integers(1, 16),
    ones=st.sampled_from([0.0, 0.02, 0.5]),
    threads=st.integers(1, 3),
    gap=GAPS,
    seed=st.integers(0, 999),
    data=st.data(),
)
def test_all_frames_as_near_as_the_kth_are_found_with_their_sums(
    compiled: bool,
    bits: Bits,
    counts: list[int],
    base: int,
    windows: int,
    k: int,
    ones: float,
    threads: int,
    gap: int,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    matrix, frames = archive(counts, base, rng, ones)
    queries = [drawn(rng, windows, ones), drawn(rng, 1, ones)]
    scanner = Scanner(threads, compiled)
    every = list(range(len(frames)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "GAP_FRAMES", gap)
        for slots, asked in [
            (every, None),
            *((slots, np.array(slots, np.int64)) for slots in selections(len(frames), data)),
        ]:
            expected = [plain_nearest(frames, query, k, bits, slots) for query in queries]
            assert [pairs(scanner.nearest(matrix, query, k, bits, asked)) for query in queries] == expected
            assert list(map(pairs, scanner.nearest_of_each(matrix, queries, k, bits, asked))) == expected
            assert pairs(scanner.sums(matrix, queries[0], bits, asked)) == plain_nearest(
                frames, queries[0], len(frames) + 1, bits, slots
            )
    scanner.close()


@pytest.mark.slow
@KINDS
@LENGTHS
@settings(deadline=None, max_examples=40)
@given(counts=COUNTS, windows=st.integers(1, 3), radius=st.integers(-1, 140), seed=st.integers(0, 99))
def test_a_range_search_finds_all_frames_within_the_radius(
    compiled: bool, bits: Bits, counts: list[int], windows: int, radius: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    matrix, frames = archive(counts, 5, rng, 0.3)
    queries = drawn(rng, windows, 0.3)
    everything = plain_nearest(frames, queries, len(frames) + 1, bits, range(len(frames)))
    expected = [(slot, value) for slot, value in everything if value <= radius]
    assert pairs(Scanner(compiled=compiled).within(matrix, queries, radius, bits)) == expected


@pytest.mark.slow
@KINDS
@LENGTHS
@settings(deadline=None, max_examples=60)
@given(
    counts=st.lists(st.integers(0, 140), min_size=1, max_size=12),
    windows=st.integers(1, 12),
    prefix=st.integers(1, 16),
    k=st.integers(1, 5),
    ones=st.sampled_from([0.02, 0.5]),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_a_kernel_finds_and_counts_frames_of_its_mask_alone_whatever_the_prefix(
    compiled: bool,
    bits: Bits,
    counts: list[int],
    windows: int,
    prefix: int,
    k: int,
    ones: float,
    seed: int,
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(seed)
    matrix, frames = archive(counts, len(counts), rng, ones)
    queries = drawn(rng, windows, ones)
    segment, module = matrix.segments[0], load_kernels(compiled)
    planes, first = bits // 8, data.draw(st.integers(0, len(frames) - 1))
    runs = np.array([[0, first], [first, len(frames)]])
    for slots in selections(len(frames), data):
        mask = np.isin(np.arange(len(frames)), slots).astype(np.uint8)
        true_sums = dict(plain_nearest(frames, queries, len(frames), bits, slots))
        for kernel in [module.scan_frames, *([module.scan_columns] if windows == 1 else [])]:
            histogram, judged = np.zeros(windows * bits + 1, np.int64), np.zeros(2, np.int64)
            found, sums = np.zeros(len(frames), np.int64), np.zeros(len(frames), np.int64)
            count = kernel(
                segment.codes, segment.starts, segment.stops, runs, mask, queries, planes,
                min(prefix, planes), k, windows * bits, histogram, judged, found, sums,
            )  # fmt: skip
            near = pairs((found[:count], sums[:count]))
            assert set(plain_nearest(frames, queries, k, bits, slots)) <= set(near)
            assert near == [(slot, true_sums[slot]) for slot, _ in near]
            assert histogram.tolist() == np.bincount(sums[:count], minlength=len(histogram)).tolist()
            assert 0 <= judged[0] <= judged[1]


@KINDS
@LENGTHS
def test_an_empty_index_has_nothing_near(compiled: bool, bits: Bits) -> None:
    scanner, nothing = Scanner(compiled=compiled), WindowMatrix.empty().frozen()
    query = np.zeros((1, 16), np.uint8)
    assert pairs(scanner.nearest(nothing, query, 5, bits)) == []
    assert pairs(scanner.sums(nothing, query, bits, np.empty(0, np.int64))) == []


@KINDS
@LENGTHS
def test_one_frame_with_one_window_is_found_whatever_k(compiled: bool, bits: Bits) -> None:
    matrix, _ = archive([1], 1, np.random.default_rng(0), 1.0)
    for k in (1, 100):
        found = Scanner(compiled=compiled).nearest(matrix, np.zeros((1, 16), np.uint8), k, bits)
        assert pairs(found) == [(0, bits)]


@KINDS
def test_when_all_codes_are_equal_all_frames_tie(compiled: bool) -> None:
    matrix, frames = archive([3] * 50, 20, np.random.default_rng(0), 0.0)
    found = Scanner(2, compiled).nearest(matrix, np.full((2, 16), 255, np.uint8), 3, 128)
    assert pairs(found) == [(slot, 256) for slot in range(len(frames))]


@pytest.mark.slow
@given(counts=st.lists(st.integers(0, 9), max_size=20), size=st.integers(1, 12), data=st.data())
def test_blocks_hold_every_frame_with_windows_once_in_order_and_keep_to_their_size(
    counts: list[int], size: int, data: st.DataObject
) -> None:
    offsets = offsets_of(np.array(counts, np.int64))
    some = sorted(data.draw(st.sets(st.integers(0, len(counts) - 1)))) if counts else []
    blocks = cut(offsets, runs_of(np.array(some, np.int64), 0), size)
    held = [slot for runs in blocks for first, last in runs.tolist() for slot in range(first, last)]
    assert held == some
    for runs in blocks:
        frames = [slot for first, last in runs.tolist() for slot in range(first, last)]
        # The last frame or run may reach beyond.
        assert sum(counts[slot] for slot in frames) < 2 * size + 9


def test_runs_reach_over_short_gaps_and_no_others() -> None:
    frames = np.array([2, 3, 6, 10, 11])
    assert runs_of(frames, 0).tolist() == [[2, 4], [6, 7], [10, 12]]
    assert runs_of(frames, 2).tolist() == [[2, 7], [10, 12]]
    assert runs_of(frames, 3).tolist() == [[2, 12]]
    assert runs_of(frames[:0], 3).tolist() == []


def test_without_numba_the_scan_is_numpys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_kernels() is kernels
    assert load_kernels(compiled=False) is portable
    monkeypatch.setitem(sys.modules, "hmar.index.kernels", None)
    monkeypatch.delattr("hmar.index.kernels")
    assert load_kernels() is portable


def test_a_prefix_grows_where_much_passes_it_and_shrinks_where_little_does() -> None:
    one = Prefix(8)
    first = one.planes
    one.judge(first, 50, 100)
    assert one.planes == first + 1
    one.judge(first, 50, 100)
    assert one.planes == first + 1
    for _ in range(20):
        one.judge(one.planes, 0, 1000)
    assert one.planes == 2
    for _ in range(20):
        one.judge(one.planes, 999, 1000)
    assert one.planes == 8
