from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.hamming import CHUNK_WINDOWS, NO_WINDOWS, chunks, code_words, frame_minima, row_distances
from hmar.types import Bits

LENGTHS = pytest.mark.parametrize("bits", [64, 128])


def planes_of(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    words = code_words(codes)
    return words[:, 0], words[:, 1]


def bit_count(a: np.ndarray, b: np.ndarray, bits: int) -> int:
    length = bits // 8
    return (int.from_bytes(a[:length].tobytes()) ^ int.from_bytes(b[:length].tobytes())).bit_count()


@LENGTHS
def test_distances_count_the_first_bits_that_differ(bits: Bits) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (50, 16), np.uint8)
    found = row_distances(planes_of(codes), code_words(codes[0]), bits)
    assert found.tolist() == [bit_count(code, codes[0], bits) for code in codes]


@LENGTHS
def test_opposite_codes_differ_in_every_bit(bits: Bits) -> None:
    ones = np.full((1, 16), 255, np.uint8)
    assert row_distances(planes_of(ones), code_words(~ones[0]), bits).tolist() == [bits]


@LENGTHS
@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 4), max_size=12), seed=st.integers(0, 99))
def test_the_minimum_of_each_frame_is_that_of_a_plain_loop(bits: Bits, counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (sum(counts), 16), np.uint8)
    query = rng.integers(0, 256, 16, np.uint8)
    expected, start = [], 0
    for count in counts:
        frame = codes[start : start + count]
        expected.append(min((bit_count(code, query, bits) for code in frame), default=NO_WINDOWS))
        start += count
    found = frame_minima(planes_of(codes), np.array(counts, np.int64), code_words(query), bits)
    assert found.tolist() == expected


def test_frames_that_fill_or_exceed_a_chunk_are_scanned_whole() -> None:
    counts = np.array([1, CHUNK_WINDOWS - 1, 0, 1, CHUNK_WINDOWS + 5, 0, 2, 3], np.int64)
    first = np.full(counts.sum(), np.uint64(0b111))
    ends = np.cumsum(counts)
    first[ends[counts > 0] - 1] = 1  # the nearest window of each frame is its last
    found = frame_minima((first, first), counts, np.zeros(2, np.uint64), 128)
    assert found.tolist() == [2, 2, NO_WINDOWS, 2, 2, NO_WINDOWS, 2, 2]


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 9), max_size=20), size=st.integers(1, 10))
def test_chunks_cover_all_frames_in_order_and_keep_to_their_size(counts: list[int], size: int) -> None:
    cut = list(chunks(np.cumsum(counts, dtype=np.int64), size))
    assert [i for part in cut for i in range(part.start, part.stop)] == list(range(len(counts)))
    for part in cut:
        assert sum(counts[part]) <= size or part.stop - part.start == 1
