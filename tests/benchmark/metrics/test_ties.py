"""Expectations in closed form against every order that ties allow, in exact fractions."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.ties import (
    average_precision,
    expected_ap,
    expected_hits,
    hits_found_precision,
    tie_groups,
)

Order = Sequence[bool]
Item = tuple[int, bool]

rankings = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)
kinds = st.sampled_from([np.int16, np.float32])


def every_order(items: Sequence[Item]) -> Iterator[Order]:
    groups = [[good for at, good in items if at == d] for d in sorted({at for at, _ in items})]
    for parts in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [good for part in parts for good in part]


def mean_over_orders(items: Sequence[Item], figure: Callable[[Order], Fraction]) -> float:
    figures = [figure(order) for order in every_order(items)]
    return float(sum(figures, Fraction(0)) / len(figures))


def precision_sum(order: Order, cut: int) -> Fraction:
    return sum(
        (Fraction(sum(order[: rank + 1]), rank + 1) for rank in range(min(cut, len(order))) if order[rank]),
        Fraction(0),
    )


def ap(order: Order, cut: int) -> Fraction:
    return precision_sum(order, cut) / min(cut, sum(order))


def ap_over_hits(order: Order, cut: int) -> Fraction:
    return precision_sum(order, cut) / max(1, sum(order[:cut]))


def arrays(items: Sequence[Item], kind: type) -> tuple[np.ndarray, np.ndarray]:
    distance, relevant = zip(*items, strict=True)
    return np.array([distance], kind), np.array([relevant])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(items=rankings, kind=kinds)
def test_average_precision_is_the_mean_over_every_order_of_the_ties(items: list[Item], kind: type) -> None:
    distance, relevant = arrays(items, kind)
    groups = tie_groups(distance, relevant)
    if not relevant.any():
        assert math.isnan(average_precision(groups)[0])
        assert math.isnan(expected_ap(distance[0], relevant[0]))
        return
    whole = mean_over_orders(items, lambda order: ap(order, len(order)))
    assert average_precision(groups)[0] == pytest.approx(whole, abs=1e-12)
    assert expected_ap(distance[0], relevant[0]) == pytest.approx(whole, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(items=rankings, kind=kinds, cut=st.integers(1, 8))
def test_figures_up_to_a_cut_are_means_over_every_order(items: list[Item], kind: type, cut: int) -> None:
    distance, relevant = arrays(items, kind)
    groups = tie_groups(distance, relevant)
    hits = mean_over_orders(items, lambda order: Fraction(sum(order[:cut])))
    assert expected_hits(groups, np.array([cut]))[0, 0] == pytest.approx(hits, abs=1e-12)
    if not relevant.any():
        assert math.isnan(average_precision(groups, cut)[0])
        assert math.isnan(hits_found_precision(groups, cut)[0])
        return
    short = mean_over_orders(items, lambda order: ap(order, cut))
    assert average_precision(groups, cut)[0] == pytest.approx(short, abs=1e-12)
    assert expected_ap(distance[0], relevant[0], cut) == pytest.approx(short, abs=1e-12)
    flattering = mean_over_orders(items, lambda order: ap_over_hits(order, cut))
    assert hits_found_precision(groups, cut)[0] == pytest.approx(flattering, abs=1e-12)


@pytest.mark.slow
@given(items=rankings, kind=kinds, data=st.data())
def test_an_excluded_item_is_as_if_it_were_not_there(
    items: list[Item], kind: type, data: st.DataObject
) -> None:
    out = np.array(data.draw(st.lists(st.booleans(), min_size=len(items), max_size=len(items))))
    distance, relevant = arrays(items, kind)
    groups = tie_groups(distance, relevant, out[None])
    rest = tie_groups(distance[:, ~out], relevant[:, ~out])
    ranks = np.arange(1, 8)
    np.testing.assert_allclose(expected_hits(groups, ranks), expected_hits(rest, ranks))
    np.testing.assert_allclose(average_precision(groups), average_precision(rest))


@pytest.mark.parametrize(
    ("distance", "relevant", "expected"),
    [
        ([0, 1, 2, 3], [1, 0, 1, 0], (1 + 2 / 3) / 2),  # no ties
        ([5, 5], [1, 0], 3 / 4),  # 1 or 1/2
        ([5, 5, 5], [1, 1, 0], 29 / 36),  # 1, 5/6 or 7/12
        ([0, 1, 1], [0, 1, 0], 5 / 12),  # 1/2 or 1/3
        ([2, 2, 2], [1, 1, 1], 1),
    ],
)
def test_average_precision_of_hand_made_tables(
    distance: list[int], relevant: list[int], expected: float
) -> None:
    groups = tie_groups(np.array([distance], np.int16), np.array([relevant], bool))
    assert average_precision(groups)[0] == pytest.approx(expected)
    assert expected_ap(np.array(distance), np.array(relevant, bool)) == pytest.approx(expected)


def test_dividing_by_hits_found_forgives_what_was_missed() -> None:
    groups = tie_groups(np.arange(6, dtype=np.int16)[None], np.array([[1, 0, 0, 1, 1, 0]], bool))
    assert average_precision(groups, 3)[0] == pytest.approx(1 / 3)
    assert hits_found_precision(groups, 3)[0] == pytest.approx(1)


def test_no_hit_up_to_the_cut_counts_nothing() -> None:
    groups = tie_groups(np.arange(4, dtype=np.int16)[None], np.array([[0, 0, 0, 1]], bool))
    assert average_precision(groups, 3)[0] == 0
    assert hits_found_precision(groups, 3)[0] == 0


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("cut", [None, 100, 20_000])
def test_the_closed_form_stays_exact_on_a_long_ranking(kind: type, cut: int | None) -> None:
    random = np.random.default_rng(3)
    distance: np.ndarray = random.integers(0, 40, (4, 20_000)).astype(kind)
    relevant = random.random((4, 20_000)) < np.array([[0.0005], [0.05], [0.5], [0.99]])
    expected = [expected_ap(row, good, cut) for row, good in zip(distance, relevant, strict=True)]
    np.testing.assert_allclose(average_precision(tie_groups(distance, relevant), cut), expected, atol=1e-10)


def test_the_chances_of_hits_in_a_long_tie_stay_exact() -> None:
    relevant = np.zeros((1, 30_000), bool)
    relevant[0, :1500] = True
    groups = tie_groups(np.zeros((1, 30_000), np.int16), relevant)
    # With one draw the only figures are a hit at rank 1, worth 1, and none, worth 0.
    assert hits_found_precision(groups, 1)[0] == pytest.approx(0.05, abs=1e-9)
    assert average_precision(groups, 1)[0] == pytest.approx(0.05, abs=1e-9)
