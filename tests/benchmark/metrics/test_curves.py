"""Precision against recall, against plain loops."""

import numpy as np
import pytest

from benchmark.metrics.figures import pr_curve, radius_metrics, rank_metrics
from hmar.errors import ParameterError


def test_the_curve_is_precision_and_recall_at_every_rank() -> None:
    angles = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    query = gallery[:1] * 2
    curve = pr_curve(query, gallery, np.array([1]), np.array([1, 0, 1, 1, 0]), points=5)
    assert curve.ranks.tolist() == [1, 2, 3, 5]
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 3 / 5])
    np.testing.assert_allclose(curve.recall, [1 / 3, 1 / 3, 2 / 3, 1])


def test_the_curve_is_a_mean_over_classes_under_ties() -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 8, (40, 1), dtype=np.uint8)
    labels = np.where(np.arange(40) < 30, 0, 1)
    curve = pr_curve(codes, codes, labels, labels)
    found = rank_metrics(codes, codes, labels, labels, ks=tuple(curve.ranks.tolist()))
    for column, rank in enumerate(curve.ranks.tolist()):
        halves = [found.precision[rank][labels == label].mean() for label in (0, 1)]
        assert curve.precision[column] == pytest.approx(sum(halves) / 2)
    assert curve.recall[-1] == pytest.approx(1)
    assert (np.diff(curve.recall) >= 0).all()


def test_the_curve_leaves_out_queries_with_nothing_to_find() -> None:
    codes = np.array([[0], [255]], np.uint8)
    curve = pr_curve(codes, codes[:1], np.array([0, 1]), np.array([0]))
    assert curve.precision.tolist() == curve.recall.tolist() == [1]


def test_a_curve_of_no_points_is_refused() -> None:
    with pytest.raises(ParameterError, match="Rank 0"):
        pr_curve(
            np.zeros((1, 8), np.uint8),
            np.zeros((1, 8), np.uint8),
            np.zeros(1, int),
            np.zeros(1, int),
            points=0,
        )


def test_precision_and_recall_within_a_radius() -> None:
    distance = np.array([[0, 1, 2, 3], [2, 2, 2, 2], [3, 3, 3, 3], [0, 0, 3, 3]], np.int16)
    relevant = np.array([[1, 0, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], bool)
    precision, recall = radius_metrics(distance, relevant, 2)
    np.testing.assert_allclose(precision, [2 / 3, 1 / 4, 0, np.nan])
    np.testing.assert_allclose(recall, [2 / 3, 1, 0, np.nan])


def test_what_is_excluded_is_in_no_ball_and_not_missed() -> None:
    distance, relevant = np.array([[0, 1, 9]], np.int16), np.array([[1, 1, 1]], bool)
    precision, recall = radius_metrics(distance, relevant, 2, np.array([[True, False, False]]))
    assert (precision.tolist(), recall.tolist()) == ([1.0], [0.5])
