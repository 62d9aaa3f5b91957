"""Figures of whole query sets against one query at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.figures import (
    distances,
    expected_ap,
    hits_found_ap,
    macro,
    micro,
    per_class,
    rank_metrics,
)
from hmar.errors import ParameterError

Four = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def drawn(kind: type, queries: int = 12, gallery: int = 60, classes: int = 4, seed: int = 0) -> Four:
    """Draw descriptors with many ties, and labels."""
    random = np.random.default_rng(seed)
    made: list[np.ndarray] = [random.integers(0, 4, (rows, 2)).astype(kind) for rows in (queries, gallery)]
    labels = [random.integers(0, classes, rows) for rows in (queries, gallery)]
    return made[0], made[1], labels[0], labels[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_every_figure_is_that_of_the_query_alone(kind: type) -> None:
    query, gallery, query_labels, gallery_labels = drawn(kind)
    found = rank_metrics(query, gallery, query_labels, gallery_labels, cut=7)
    apart = distances(query, gallery)
    for row, label in enumerate(query_labels):
        good = gallery_labels == label
        assert found.ap[row] == pytest.approx(expected_ap(apart[row], good))
        assert found.ap_at_cut[row] == pytest.approx(expected_ap(apart[row], good, 7))
        assert found.relevant[row] == good.sum()
        for k in (1, 5, 10):
            assert found.precision[k][row] == pytest.approx(
                hits_by_shuffling(apart[row], good, k) / k, abs=0.06
            )
        hits = 10 * found.precision[10][row]
        assert found.recall10[row] == pytest.approx(hits / good.sum())


def hits_by_shuffling(apart: np.ndarray, good: np.ndarray, k: int) -> float:
    random = np.random.default_rng(0)
    counts = []
    for _ in range(400):
        order = random.permutation(len(apart))
        ranked = order[np.argsort(apart[order], kind="stable")]
        counts.append(np.count_nonzero(good[ranked[:k]]))
    return float(np.mean(counts))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_many_queries_are_measured_as_few_are(kind: type, share: float) -> None:
    query, gallery, query_labels, gallery_labels = drawn(kind, queries=300, gallery=8000)
    out = np.random.default_rng(1).random((300, 8000)) < share
    found = rank_metrics(query, gallery, query_labels, gallery_labels, exclude=out)
    for rows in (slice(0, 1), slice(130, 133), slice(299, 300)):
        few = rank_metrics(query[rows], gallery, query_labels[rows], gallery_labels, exclude=out[rows])
        assert found.relevant[rows].tolist() == few.relevant.tolist()
        np.testing.assert_allclose(found.ap[rows], few.ap)
        np.testing.assert_allclose(found.precision[5][rows], few.precision[5])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from([np.uint8, np.float32]))
def test_the_order_in_which_the_gallery_is_stored_changes_nothing(seed: int, kind: type) -> None:
    query, gallery, query_labels, gallery_labels = drawn(kind, seed=seed)
    order = np.random.default_rng(seed).permutation(len(gallery))
    a = rank_metrics(query, gallery, query_labels, gallery_labels, cut=9)
    b = rank_metrics(query, gallery[order], query_labels, gallery_labels[order], cut=9)
    np.testing.assert_allclose(a.ap, b.ap)
    np.testing.assert_allclose(a.ap_at_cut, b.ap_at_cut)
    np.testing.assert_allclose(a.precision[1], b.precision[1])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 70))
def test_dividing_by_hits_found_never_gives_less(seed: int, cut: int) -> None:
    four = drawn(np.uint8, seed=seed)
    honest = rank_metrics(*four, cut=cut).ap_at_cut
    assert (hits_found_ap(*four, cut=cut) >= honest - 1e-12).all()


def test_without_a_cut_the_figure_at_the_cut_is_that_over_all_ranks() -> None:
    found = rank_metrics(*drawn(np.uint8))
    assert found.ap_at_cut.tolist() == found.ap.tolist()


def test_perfect_codes_score_one_in_everything() -> None:
    labels = np.repeat(np.arange(3), 20)
    codes = np.array([[0], [15], [255]], np.uint8)[labels]
    found = rank_metrics(codes, codes, labels, labels, cut=100)
    for values in (
        found.ap,
        found.ap_at_cut,
        *found.precision.values(),
        hits_found_ap(codes, codes, labels, labels),
    ):
        np.testing.assert_allclose(values, 1)
    np.testing.assert_allclose(found.recall10, 0.5)


def test_codes_that_say_nothing_score_by_chance() -> None:
    labels = np.repeat(np.arange(4), 25)
    codes = np.zeros((100, 8), np.uint8)
    found = rank_metrics(codes, codes, labels, labels)
    np.testing.assert_allclose(found.precision[1], 0.25)
    np.testing.assert_allclose(found.precision[10], 0.25)
    np.testing.assert_allclose(found.recall10, 0.1)


def test_a_query_with_nothing_to_find_is_left_out_and_counted() -> None:
    codes, labels = np.array([[0], [1], [255]], np.uint8), np.array([0, 0, 7])
    found = rank_metrics(codes, codes[:2], labels, labels[:2], cut=2)
    assert found.without_relevant == 1
    assert found.relevant.tolist() == [2, 2, 0]
    figures = [found.ap, found.ap_at_cut, found.precision[1], found.precision[10], found.recall10]
    figures.append(hits_found_ap(codes, codes[:2], labels, labels[:2]))
    for values in figures:
        assert np.isnan(values).tolist() == [False, False, True]
    assert macro(found.ap, labels) == micro(found.ap) == 1


def test_a_query_may_leave_itself_out_of_the_gallery() -> None:
    codes, labels = np.array([[0], [1], [255]], np.uint8), np.array([0, 0, 7])
    found = rank_metrics(codes, codes, labels, labels, exclude=np.eye(3, dtype=bool))
    assert found.relevant.tolist() == [1, 1, 0]
    assert found.precision[1][:2].tolist() == [1, 1]


def test_precision_keeps_its_denominator_where_the_gallery_is_smaller() -> None:
    codes, labels = np.zeros((4, 8), np.uint8), np.zeros(4, int)
    found = rank_metrics(codes, codes, labels, labels)
    assert found.precision[10].tolist() == [0.4] * 4
    assert found.recall10.tolist() == [1.0] * 4


def test_no_query_and_no_gallery_are_no_figures() -> None:
    codes, labels = np.zeros((3, 8), np.uint8), np.zeros(3, int)
    assert rank_metrics(codes[:0], codes, labels[:0], labels).ap.shape == (0,)
    assert rank_metrics(codes, codes[:0], labels, labels[:0]).without_relevant == 3
    assert rank_metrics(
        codes.astype(np.float32), codes[:0].astype(np.float32), labels, labels[:0]
    ).ap.shape == (3,)


def test_what_does_not_fit_together_is_refused() -> None:
    codes, labels = np.zeros((3, 8), np.uint8), np.zeros(3, int)
    with pytest.raises(ParameterError, match="one label for each"):
        rank_metrics(codes, codes, labels[:2], labels)
    with pytest.raises(ParameterError, match="one row a query"):
        rank_metrics(codes, codes, labels, labels, exclude=np.zeros((3, 2), bool))
    with pytest.raises(ParameterError, match="Rank 0"):
        rank_metrics(codes, codes, labels, labels, ks=(0,))
    with pytest.raises(ParameterError, match="Rank 0"):
        rank_metrics(codes, codes, labels, labels, cut=0)
    with pytest.raises(ParameterError, match="Rank -1"):
        hits_found_ap(codes, codes, labels, labels, cut=-1)


def test_macro_counts_every_class_once_and_micro_every_query_once() -> None:
    values, labels = np.array([1.0, 0.0, 0.5, 0.2]), np.array([3, 3, 3, 8])
    assert per_class(values, labels) == {3: 0.5, 8: 0.2}
    assert macro(values, labels) == pytest.approx(0.35)
    assert micro(values) == pytest.approx(0.425)


def test_means_leave_out_what_is_nan_and_a_class_that_is_nothing_else() -> None:
    values, labels = np.array([1.0, np.nan, np.nan]), np.array([0, 0, 1])
    assert per_class(values, labels) == {0: 1.0}
    assert macro(values, labels) == micro(values) == 1
    assert math.isnan(macro(values[1:], labels[1:]))
    assert math.isnan(micro(values[1:]))
