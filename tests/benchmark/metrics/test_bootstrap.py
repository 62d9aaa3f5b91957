"""Intervals against resampling by hand, group by group."""

import inspect
import math

import numpy as np
import pytest

from benchmark.metrics.figures import bootstrap, bootstrap_means, macro, paired_bootstrap
from hmar.errors import ParameterError

Case = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def drawn(queries: int = 60, classes: int = 5, groups: int = 14) -> Case:
    random = np.random.default_rng(5)
    a, b = random.random((2, queries))
    a[3], b[7] = np.nan, np.nan
    return a, b, random.integers(0, classes, queries), random.integers(0, groups, queries)


def resampled_differences(case: Case, resamples: int, seed: int) -> list[float]:
    a, b, labels, groups = case
    paired = ~np.isnan(a - b)
    a, b, labels, groups = (values[paired] for values in (a, b, labels, groups))
    names = np.unique(groups)
    differences = []
    for picks in np.random.default_rng(seed).integers(len(names), size=(resamples, len(names))):
        rows = np.concatenate([np.flatnonzero(groups == names[pick]) for pick in picks])
        differences.append(macro(a[rows], labels[rows]) - macro(b[rows], labels[rows]))
    return differences


def test_the_paired_interval_is_that_of_differences_over_resampled_groups() -> None:
    case = drawn()
    interval = paired_bootstrap(*case, resamples=200, seed=9)
    low, high = np.percentile(resampled_differences(case, 200, 9), [2.5, 97.5])
    assert interval.low == pytest.approx(low)
    assert interval.high == pytest.approx(high)


def test_the_mean_is_that_of_all_queries() -> None:
    a, b, labels, groups = drawn()
    both = ~np.isnan(a - b)
    difference = macro(a[both], labels[both]) - macro(b[both], labels[both])
    assert paired_bootstrap(a, b, labels, groups).mean == pytest.approx(difference)
    assert bootstrap(a, labels, groups).mean == pytest.approx(macro(a, labels))


def test_one_peer_alone_is_compared_with_nothing() -> None:
    a, _, labels, groups = drawn()
    assert bootstrap(a, labels, groups) == paired_bootstrap(a, np.zeros_like(a), labels, groups)


def test_a_peer_does_not_differ_from_itself() -> None:
    a, _, labels, groups = drawn()
    interval = paired_bootstrap(a, a, labels, groups)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)


def test_a_class_absent_from_a_resample_does_not_count_as_nought() -> None:
    values, labels = np.array([0.4, 0.8]), np.array([0, 1])
    interval = bootstrap(values, labels, groups=labels)
    # Drawn are the first group twice, the second twice, or both; nothing lies below the worse of the two.
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.6, 0.4, 0.8))


def test_a_class_of_many_queries_weighs_as_much_as_a_class_of_one() -> None:
    labels = np.array([0] * 99 + [1])
    values = np.where(labels == 0, 0.2, 0.6)
    groups = np.tile(np.arange(10), 10)
    interval = bootstrap(values, labels, groups)
    assert interval.mean == pytest.approx(0.4)
    assert {round(interval.low, 6), round(interval.high, 6)} == {0.2, 0.4}


def test_queries_of_one_group_are_no_independent_evidence() -> None:
    patients = np.repeat(np.arange(8), 50)
    values = np.repeat(np.random.default_rng(0).random(8), 50)
    labels = np.zeros(400, int)
    by_patient, by_query = (bootstrap(values, labels, groups) for groups in (patients, np.arange(400)))
    assert by_patient.high - by_patient.low > 4 * (by_query.high - by_query.low)


def test_groups_are_told_by_their_names_not_their_numbers() -> None:
    a, b, labels, groups = drawn()
    assert paired_bootstrap(a, b, labels, groups) == paired_bootstrap(a, b, labels * 7, groups * 1000 + 5)


def test_units_drawn_twice_count_twice_and_parts_count_the_same() -> None:
    random = np.random.default_rng(3)
    values = random.random((9, 2))
    values[2, 0] = values[5, 1] = values[6, 1] = np.nan
    interval = bootstrap_means(values, resamples=300, seed=4)
    means = []
    for picks in np.random.default_rng(4).integers(9, size=(300, 9)):
        parts = []
        for part in range(2):
            drawn = [values[pick, part] for pick in picks if not math.isnan(values[pick, part])]
            if drawn:
                parts.append(sum(drawn) / len(drawn))
        means.append(sum(parts) / len(parts))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))
    assert interval.mean == pytest.approx((np.nanmean(values[:, 0]) + np.nanmean(values[:, 1])) / 2)


def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        interval = bootstrap_means(random.normal(0.3, 0.2, (34, 1)), resamples=300, seed=seed)
        covered += interval.low <= 0.3 <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_means_of_nothing_or_of_one_unit_have_no_interval() -> None:
    for values, mean in ((np.full((2, 2), np.nan), math.nan), (np.array([[0.25, 0.75]]), 0.5)):
        interval = bootstrap_means(values)
        assert interval.mean == pytest.approx(mean, nan_ok=True)
        assert all(map(math.isnan, (interval.low, interval.high)))
    with pytest.raises(ParameterError, match="0 resamples"):
        bootstrap_means(np.ones((2, 1)), resamples=0)


def test_one_group_says_nothing_of_the_spread() -> None:
    interval = bootstrap(np.array([0.1, 0.3]), np.zeros(2, int), np.zeros(2, int))
    assert interval.mean == pytest.approx(0.2)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_no_query_with_anything_to_find_has_no_interval() -> None:
    interval = bootstrap(np.array([np.nan]), np.zeros(1, int), np.zeros(1, int))
    assert all(map(math.isnan, (interval.mean, interval.low, interval.high)))


def test_equal_seeds_give_equal_intervals_and_other_seeds_others() -> None:
    case = drawn()
    assert paired_bootstrap(*case, seed=1) == paired_bootstrap(*case, seed=1)
    assert paired_bootstrap(*case, seed=1) != paired_bootstrap(*case, seed=2)


@pytest.mark.parametrize("function", [bootstrap, paired_bootstrap])
def test_a_thousand_resamples_are_drawn_unless_asked_otherwise(function: object) -> None:
    assert callable(function)
    assert inspect.signature(function).parameters["resamples"].default >= 1000


def test_what_does_not_fit_together_is_refused() -> None:
    a, b, labels, groups = drawn()
    with pytest.raises(ParameterError, match="cannot be paired"):
        paired_bootstrap(a, b[1:], labels, groups)
    with pytest.raises(ParameterError, match="59 groups"):
        bootstrap(a, labels, groups[1:])
    with pytest.raises(ParameterError, match="0 resamples"):
        bootstrap(a, labels, groups, resamples=0)
