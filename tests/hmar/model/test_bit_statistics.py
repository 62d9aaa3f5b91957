"""Bit statistics against plain loops, and where their value is known."""

import math

import numpy as np
import pytest

from hmar.errors import ParameterError
from hmar.model.bit_statistics import bit_statistics


def test_independent_balanced_bits_count_in_full():
    grid = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], np.uint8)
    codes = np.packbits(np.pad(grid, ((0, 0), (0, 5))), axis=1)
    found = bit_statistics(codes)
    assert found.effective_bits == pytest.approx(3)
    assert found.correlation == pytest.approx(0)
    assert found.rarer_share == pytest.approx(0.5 * 3 / 8)
    assert found.worst_share == 0


def test_a_bit_that_is_said_twice_counts_once():
    codes = np.packbits(np.array([[0] * 8, [1] * 8] * 5, np.uint8), axis=1)
    assert bit_statistics(codes).effective_bits == pytest.approx(1)


def test_codes_that_are_all_the_same_are_worth_nothing():
    found = bit_statistics(np.full((4, 16), 170, np.uint8))
    assert (found.effective_bits, found.rarer_share) == (0, 0)
    assert math.isnan(found.correlation)


def test_all_figures_are_those_of_plain_loops():
    rng = np.random.default_rng(3)
    bits = (rng.random((60, 16)) < rng.random(16)).astype(np.uint8)
    bits[:, 1] = bits[:, 0]
    found = bit_statistics(np.packbits(bits, axis=1))
    shares = [min(column.count(0), column.count(1)) / 60 for column in bits.T.tolist()]
    covariance = np.cov(bits.T.astype(float), bias=True)
    pairs = [abs(np.corrcoef(bits[:, i], bits[:, j])[0, 1]) for i in range(16) for j in range(i)]
    squares = sum(covariance[i, j] ** 2 for i in range(16) for j in range(16))
    assert found.rarer_share == pytest.approx(sum(shares) / 16)
    assert found.worst_share == pytest.approx(min(shares))
    assert found.correlation == pytest.approx(sum(pairs) / len(pairs))
    assert found.effective_bits == pytest.approx(sum(covariance[i, i] for i in range(16)) ** 2 / squares)


def test_a_code_of_weight_three_counts_as_three_codes():
    codes = np.random.default_rng(4).integers(0, 256, (9, 4), dtype=np.uint8)
    weights = np.array([3.0, 1, 1, 2, 1, 1, 1, 1, 1])
    weighed, repeated = (
        bit_statistics(codes, weights),
        bit_statistics(np.repeat(codes, weights.astype(int), axis=0)),
    )
    assert weighed.rarer_share == pytest.approx(repeated.rarer_share)
    assert weighed.correlation == pytest.approx(repeated.correlation)
    assert weighed.effective_bits == pytest.approx(repeated.effective_bits)


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (8,)])
def test_no_codes_are_refused(shape):
    with pytest.raises(ParameterError, match="no bits"):
        bit_statistics(np.zeros(shape, np.uint8))
