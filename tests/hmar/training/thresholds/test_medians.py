"""The weighted median against a plain loop, and its rule for ties."""

import numpy as np
import pytest

from hmar.training.thresholds.medians import weighted_median


def by_loop(values: list[float], weights: list[int]) -> float:
    """Repeat every value as often as it weighs, and take the middle of the list."""
    repeated = sorted(value for value, weight in zip(values, weights, strict=True) for _ in range(weight))
    half = len(repeated) // 2
    return repeated[half] if len(repeated) % 2 else (repeated[half - 1] + repeated[half]) / 2


def median(values: list[float], weights: list[float]) -> float:
    return float(weighted_median(np.array(values, np.float32)[:, None], np.array(weights, np.float64))[0])


@pytest.mark.parametrize("seed", range(20))
def test_a_weighted_median_is_that_of_values_repeated(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 30))
    values, weights = rng.integers(-5, 6, count).tolist(), rng.integers(1, 5, count).tolist()
    assert median(values, weights) == by_loop(values, weights)


def test_weights_need_not_be_whole_numbers():
    assert median([1, 2, 3, 4], [0.1, 0.1, 0.1, 0.1]) == 2.5
    assert median([1, 2, 3, 9, 9, 9], [1 / 3] * 3 + [1 / 9] * 3) == pytest.approx(2.5)


def test_distinct_values_are_halved_exactly():
    values = np.random.default_rng(0).normal(size=(500, 7)).astype(np.float32)
    above = values > weighted_median(values, np.ones(500))
    assert (above.sum(axis=0) == 250).all()


def test_of_equal_integers_none_is_above():
    values = np.repeat(np.arange(3, dtype=np.float32), (2, 5, 3))[:, None]
    threshold = weighted_median(values, np.ones(10))
    assert threshold[0] == 1
    assert (values[:, 0] > threshold).sum() == 3


def test_every_column_has_its_own():
    values = np.array([[1, -1], [2, -2], [3, -30]], np.float32)
    assert weighted_median(values, np.ones(3)).tolist() == [2, -2]
