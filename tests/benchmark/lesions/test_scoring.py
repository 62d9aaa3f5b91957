from itertools import pairwise, permutations, product

import numpy as np
import pytest

from benchmark.lesions.data import LesionSlice
from benchmark.lesions.ranking import Ranked
from benchmark.lesions.scoring import (
    FIGURES,
    RANKS,
    Question,
    chance,
    others_lesions,
    own_lesion,
    permuted,
    score,
)
from benchmark.lesions.slices import ArchiveSlice


def slice_of(person, series, place, right=(True, False)):
    source = LesionSlice(person, series, place, None, None, "lesion")
    return ArchiveSlice(source, None, np.arange(len(right), dtype=np.uint32), np.array(right, bool), None)


def by_permutations(distance, hit, total, within):
    """Return the figures of one query as means over all orders of its frames that ties allow."""
    orders = [
        order
        for order in permutations(range(len(distance)))
        if all(distance[a] <= distance[b] for a, b in pairwise(order))
    ]
    found = dict.fromkeys(FIGURES, 0.0)
    for order in orders:
        hits = np.array([hit[frame] for frame in order], float)
        upto = np.cumsum(hits)
        found["ap"] += (hits * upto / np.arange(1, len(hits) + 1)).sum() / total
        found["share"] += upto[min(total, len(hits)) - 1] / total
        for rank in RANKS:
            found[f"p_at_{rank}"] += upto[min(rank, len(hits)) - 1] / (min(rank, total) if within else rank)
    return {name: value / len(orders) for name, value in found.items()}


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_figures_are_means_over_all_orders_that_ties_allow(within, dtype):
    rng = np.random.default_rng(1)
    right = [rng.random(3) < 0.6 for _ in range(6)]
    right[0][:] = True
    distance = rng.integers(0, 3, (8, 6)).astype(dtype)
    window = rng.integers(0, 3, (8, 6))
    wanted, left_out = rng.random((8, 6)) < 0.7, rng.random((8, 6)) < 0.2
    scores = score(Question(wanted, left_out, within), Ranked(distance, window), right)
    asked = 0
    for query in range(8):
        kept = [frame for frame in range(6) if not left_out[query, frame]]
        total = sum(bool(right[frame].any() and wanted[query, frame]) for frame in kept)
        if not total:
            assert all(np.isnan(scores[name][query]) for name in FIGURES)
            continue
        asked += 1
        hit = [right[frame][window[query, frame]] and wanted[query, frame] for frame in kept]
        expected = by_permutations(distance[query, kept], hit, total, within)
        for name in FIGURES:
            assert scores[name][query] == pytest.approx(expected[name]), name
    assert asked > 4


@pytest.mark.parametrize("within", [True, False])
def test_chance_is_the_mean_over_all_windows_that_may_be_shown(within):
    right = [np.array(one, bool) for one in ([1, 0], [1, 1, 0], [0, 0], [0, 1])]
    wanted = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
    left_out = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], bool)
    question = Question(wanted, left_out, within)
    expected = chance(question, right)
    choices = list(product(*(range(len(one)) for one in right)))
    means = {name: np.zeros(2) for name in FIGURES}
    for chosen in choices:
        ranked = Ranked(np.zeros((2, 4), np.int64), np.array([chosen, chosen]))
        for name, values in score(question, ranked, right).items():
            means[name] += values / len(choices)
    for name in FIGURES:
        np.testing.assert_allclose(expected[name], means[name], err_msg=name)


def test_the_slice_and_its_two_neighbours_are_left_out_of_its_own_series_alone():
    frames = [*(slice_of("a", "ct", n) for n in range(4)), slice_of("a", "mr", 1), slice_of("b", "ct", 1)]
    question = own_lesion([frames[1], frames[3]], frames)
    assert question.left_out.tolist() == [
        [True, True, True, False, False, False],
        [False, False, True, True, False, False],
    ]
    assert question.wanted.tolist() == [[True] * 5 + [False]] * 2
    assert question.within


def test_the_person_is_left_out_where_others_are_asked_for():
    frames = [slice_of("a", "ct", 0), slice_of("a", "mr", 1), slice_of("b", "ct", 1, (False, False))]
    question = others_lesions([frames[0]], frames)
    assert question.left_out.tolist() == [[True, True, False]]
    right = [one.right for one in frames]
    assert not question.findable(right).any()  # b shows none
    assert question.findable([*right[:2], np.array([False, True])]).tolist() == [[False, False, True]]
    assert not question.within


def test_without_meaning_a_perfect_ranking_falls_to_chance():
    frames = [
        slice_of(person, "ct", place, (place % 2 == 0, True, False, False))
        for person in "abcdefgh"
        for place in range(8)
    ]
    right = [one.right for one in frames]
    own = own_lesion(frames, frames)
    others = others_lesions(frames, frames)
    perfect = np.ones((64, 64), np.int64)
    window = np.ones((64, 64), np.int64)
    for question, distance in ((own, np.where(own.wanted, 0, perfect)), (others, perfect)):
        ranked = Ranked(distance, window)
        assert np.nanmean(score(question, ranked, right)["share"]) > 0.9
        runs = [
            score(again, ranked, truth) for again, truth in (permuted(question, right, n) for n in range(200))
        ]
        expected = chance(question, right)
        for name in ("ap", "share", "p_at_10"):
            found = np.mean([np.nanmean(run[name]) for run in runs])
            assert found == pytest.approx(np.nanmean(expected[name]), rel=0.05), name
