"""Weighted codes against plain loops over bits, in both kinds of kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.index.scan import Scanner
from hmar.index.weighted import WeightedCodes, first_distances, largest_sum, unit_of
from hmar.index.windows import WindowMatrix
from hmar.values.codes import WEIGHTS_OF_HALF, Bits, CodeArray, Query

LENGTHS = pytest.mark.parametrize("bits", [64, 128])


def weighted(rng: np.random.Generator, count: int) -> WeightedCodes:
    weights = rng.multinomial(WEIGHTS_OF_HALF, np.full(64, 1 / 64), (count, 2)).reshape(count, 128)
    return WeightedCodes(rng.integers(0, 256, (count, 16), np.uint8), weights.astype(np.uint8))


def plain(queries: WeightedCodes, number: int, code: CodeArray, bits: int) -> int:
    differing = np.unpackbits(queries.codes[number]) != np.unpackbits(code)
    return sum(int(queries.weights[number, bit]) for bit in range(bits) if differing[bit])


@LENGTHS
@settings(deadline=None, max_examples=40)
@given(
    counts=st.lists(st.sampled_from([0, 1, 31, 32, 70]), max_size=9),
    windows=st.integers(1, 9),
    k=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_all_frames_as_near_as_the_kth_are_found_with_their_sums(
    bits: Bits, counts: Sequence[int], windows: int, k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # Few different codes, so that sums tie.
    frames = [rng.integers(0, 256, (3, 16), np.uint8)[rng.integers(0, 3, count)] for count in counts]
    matrix = WindowMatrix.empty()
    for codes in frames:
        matrix.append(codes, np.arange(len(codes), dtype=np.uint32))
    queries = weighted(rng, windows)
    sums = {
        slot: sum(min(plain(queries, each, code, bits) for code in codes) for each in range(windows))
        for slot, codes in enumerate(frames)
        if len(codes)
    }
    radius = sorted(sums.values())[:k][-1:]
    near = [(slot, value) for slot, value in sums.items() if value <= radius[0]]
    for compiled in (True, False):
        scanner = Scanner(2, compiled)
        for found, expected in (
            (scanner.nearest(matrix.frozen(), queries, k, bits), near),
            (scanner.sums(matrix.frozen(), queries, bits), list(sums.items())),
        ):
            assert list(zip(*(values.tolist() for values in found), strict=True)) == expected
        scanner.close()


@LENGTHS
def test_distances_of_one_code_are_sums_of_weights(bits: Bits) -> None:
    rng = np.random.default_rng(5)
    queries, codes = weighted(rng, 2), rng.integers(0, 256, (20, 16), np.uint8)
    assert first_distances(queries, codes, bits).tolist() == [plain(queries, 0, code, bits) for code in codes]


@LENGTHS
def test_a_code_and_its_opposite_are_as_far_apart_as_there_are_bits(bits: Bits) -> None:
    queries = weighted(np.random.default_rng(6), 1)
    [farthest] = first_distances(queries, ~queries.codes, bits)
    assert farthest == largest_sum(queries, bits)
    assert farthest / unit_of(queries) == bits
    assert farthest < 256


def test_a_query_takes_no_weights_of_other_sums_or_shapes_or_of_windows_alone() -> None:
    codes, weights = np.zeros((2, 16), np.uint8), np.full((2, 128), 2, np.uint8)
    weights[:, [*range(8), *range(64, 72)]] = 1
    good = {"global_weights": weights[0], "window_weights": weights}
    assert Query(codes[0], codes, (0.5, 0.5), **good).window_weights is weights
    for bad in (
        good | {"window_weights": weights[:1]},
        good | {"global_weights": weights[0] + np.uint8(1)},
        {"window_weights": weights},
    ):
        with pytest.raises(ValueError, match="weights"):
            Query(codes[0], codes, (0.5, 0.5), **bad)
