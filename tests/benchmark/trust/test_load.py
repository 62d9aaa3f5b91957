"""The slope of the memory, and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.trust.load import slope_of

TIMES = [2.0 * number for number in range(600)]


def test_a_steady_growth_is_found_within_its_interval() -> None:
    noise = np.random.default_rng(1).normal(0, 2, len(TIMES))
    sizes = [400 + 90 * moment / 3600 + float(error) for moment, error in zip(TIMES, noise, strict=True)]
    slope, low, high = slope_of(TIMES, sizes)
    assert low < 90 < high
    assert low < slope < high
    assert high - low < 20


def test_what_is_taken_in_the_first_quarter_is_no_slope() -> None:
    sizes = [min(400.0, 300 + moment) for moment in TIMES]
    assert slope_of(TIMES, sizes) == pytest.approx((0, 0, 0), abs=1e-9)


def test_too_few_samples_give_no_slope() -> None:
    assert slope_of([0.0, 2.0], [1.0, 5.0]) == (0.0, 0.0, 0.0)
