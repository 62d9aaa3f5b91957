"""Distances against plain loops, and ties that stay ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.distances import distances
from hmar.errors import ParameterError


@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 33), seed=st.integers(0, 1000))
def test_codes_are_compared_by_the_bits_that_differ(width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    query, gallery = (random.integers(0, 256, (rows, width), dtype=np.uint8) for rows in (3, 5))
    apart = distances(query, gallery)
    for row, mine in enumerate(query):
        for column, theirs in enumerate(gallery):
            bits = int.from_bytes(mine.tobytes()) ^ int.from_bytes(theirs.tobytes())
            assert apart[row, column] == bits.bit_count()


def test_hamming_distances_can_be_subtracted_and_negated() -> None:
    apart = distances(np.full((1, 64), 255, np.uint8), np.zeros((1, 64), np.uint8))
    assert -apart[0, 0] == -512


def test_floats_are_compared_by_one_minus_the_cosine() -> None:
    random = np.random.default_rng(0)
    query, gallery = (random.standard_normal((rows, 7)).astype(np.float32) for rows in (4, 6))
    apart = distances(query, gallery)
    assert apart.dtype == np.float32
    for row, a in enumerate(query.astype(float)):
        for column, b in enumerate(gallery.astype(float)):
            cosine = sum(a * b) / (sum(a * a) * sum(b * b)) ** 0.5
            assert apart[row, column] == pytest.approx(1 - cosine, abs=1e-5)


@pytest.mark.parametrize("width", [2, 7, 64, 112, 517])
@pytest.mark.parametrize("queries", [1, 2, 32])
def test_equal_gallery_vectors_are_equally_far_wherever_they_stand(width: int, queries: int) -> None:
    # A plain matrix product fails here: how it rounds a column depends on where the column stands.
    random = np.random.default_rng(width)
    for size in (50, 203, 1003):
        kinds = random.standard_normal((9, width)).astype(np.float32)
        which = random.integers(0, 9, size)
        apart = distances(random.standard_normal((queries, width)).astype(np.float32), kinds[which])
        for kind in np.unique(which):
            assert len(np.unique(apart[0, which == kind])) == 1


def test_a_float_of_length_zero_is_one_from_everything() -> None:
    zero, others = np.zeros((1, 3), np.float32), np.array([[1, 2, 3], [0, 0, 0]], np.float32)
    assert distances(zero, others).tolist() == [[1, 1]]
    assert distances(others, zero).tolist() == [[1], [1]]


@pytest.mark.parametrize(
    ("query", "gallery"),
    [
        (np.zeros((2, 8), np.uint8), np.zeros((2, 16), np.uint8)),
        (np.zeros((2, 8), np.uint8), np.zeros((2, 8), np.float32)),
        (np.zeros(8, np.uint8), np.zeros((2, 8), np.uint8)),
    ],
)
def test_descriptors_of_two_kinds_are_refused(query: np.ndarray, gallery: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="same peer"):
        distances(query, gallery)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_floats_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ParameterError, match="not finite"):
        distances(np.full((1, 2), value, np.float32), np.ones((1, 2), np.float32))
