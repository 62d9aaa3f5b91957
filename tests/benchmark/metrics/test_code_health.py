"""Balance, correlation and distinct codes, by hand and by numpy."""

import math

import numpy as np
import pytest

from benchmark.metrics.figures import code_health
from hmar.errors import ParameterError


def pack(*rows: list[int]) -> np.ndarray:
    return np.packbits(np.array(rows, np.uint8), axis=1)


def test_bits_that_halve_the_set_and_are_unrelated_are_healthy() -> None:
    grid = [[a, b] for a in (0, 1) for b in (0, 1)]
    health = code_health(pack(*([a, b, a, b, a, b, a, b] for a, b in grid)))
    assert health.balance == 1
    assert health.distinct == 4
    # 28 pairs: the 12 of equal bits have 1, the 16 others 0.
    assert health.correlation == pytest.approx(12 / 28)


def test_a_bit_and_its_opposite_are_as_much_one_bit_as_two_equal_ones() -> None:
    codes = pack([1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0])
    assert code_health(codes).correlation == pytest.approx(1)


def test_a_bit_that_one_code_in_four_sets_is_half_balanced() -> None:
    codes = pack([1] * 8, [0] * 8, [0] * 8, [0] * 8)
    assert code_health(codes).balance == pytest.approx(0.5)


def test_codes_that_are_all_the_same_are_dead() -> None:
    health = code_health(np.full((10, 8), 170, np.uint8))
    assert (health.balance, health.distinct) == (0, 1)
    assert math.isnan(health.correlation)


def test_bits_that_never_vary_lower_the_balance_only() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 256, (500, 4), dtype=np.uint8)
    half = np.concatenate([codes, np.zeros_like(codes)], axis=1)
    whole, halved = code_health(codes), code_health(half)
    assert halved.balance == pytest.approx(whole.balance / 2)
    assert halved.correlation == pytest.approx(whole.correlation)


def test_correlation_is_the_mean_over_pairs_of_numpys() -> None:
    random = np.random.default_rng(1)
    bits = (random.random((300, 32)) < random.random(32)).astype(np.uint8)
    matrix = np.abs(np.corrcoef(bits.T))
    expected = (matrix.sum() - 32) / (32 * 31)
    assert code_health(np.packbits(bits, axis=1)).correlation == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (8,)])
def test_no_codes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="no bits"):
        code_health(np.zeros(shape, np.uint8))
