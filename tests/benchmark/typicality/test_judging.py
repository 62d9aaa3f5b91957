import numpy as np
import pytest

from benchmark.typicality.judging import (
    CURVE,
    FRAME,
    MULTIPLES,
    REGION,
    REGION_ALONE,
    Judge,
    cut_off,
    far,
    judges,
    threshold_at,
)
from benchmark.typicality.looking import Look
from hmar.model.serving.references import KindReferences
from hmar.model.serving.typicality import Reference
from hmar.values.hits import ATYPICAL


def reference(width: int, margin: float = 1.0, scale: float = 1.0) -> Reference:
    distances = scale * np.arange(1, 201, dtype=np.float32)  # marked is beyond 199 * scale
    return Reference(np.zeros(width, np.float32), np.eye(width, dtype=np.float32), distances, margin)


PLAIN = KindReferences(reference(2), {3: reference(1), 8: reference(1, 2.0)})


def seen(length: float, **regions: float) -> Look:
    """A frame that lies so far out, and regions by their side."""
    sides = [float(name.strip("_")) for name in regions]
    return Look(
        np.array([length, 0], np.float32),
        np.array(sides, np.float64),
        np.array(list(regions.values()), np.float32).reshape(-1, 1),
    )


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.25, 0.5, 1.0])
def test_a_threshold_is_the_least_that_holds_over_people(share):
    rng = np.random.default_rng(3)
    people = np.array([0] * 40 + [2] * 7 + [5])
    found = np.round(rng.gamma(3, 2, len(people)), 1)  # with ties

    def beyond(threshold: float) -> float:
        return float(np.mean([np.mean(found[people == one] > threshold) for one in np.unique(people)]))

    threshold = threshold_at(share, found, people)
    assert beyond(threshold) <= share + 1e-9
    below = found[found < threshold]
    assert not len(below) or beyond(below.max()) > share


def test_the_products_rule_marks_a_typicality_below_one_percent():
    judge = Judge("model", "", PLAIN)
    # Of 200 held-out distances 2 lie as far out as 198.5, and 1 as far as 199.5.
    assert [judge.marks(seen(at), FRAME).tolist() for at in (0, 198.5, 199.5)] == [[False], [False], [True]]


def test_a_threshold_is_a_multiple_of_the_cut_off():
    assert far(PLAIN, seen(398), FRAME).tolist() == [2]
    assert Judge("at", "", PLAIN, 2.5).marks(seen(398), FRAME).tolist() == [False]
    assert Judge("at", "", PLAIN, 1.5).marks(seen(398), FRAME).tolist() == [True]


def test_a_region_is_judged_among_windows_of_about_its_size_with_their_margin():
    look = seen(0, _3=398, _8=398, _7=199, _2=199)
    assert far(PLAIN, look, REGION_ALONE).tolist() == [2, 1, 0.5, 1]


def test_a_region_of_a_frame_that_is_marked_is_marked_but_not_alone():
    judge, look = Judge("model", "", PLAIN), seen(200, _3=1, _8=999)
    assert judge.marks(look, REGION).tolist() == [True, True]
    assert judge.marks(look, REGION_ALONE).tolist() == [False, True]
    assert judge.marks(seen(1, _3=200), REGION).tolist() == [True]
    assert judge.marks(seen(500), REGION).tolist() == []


def test_without_references_of_regions_a_region_is_judged_by_its_frame():
    old = KindReferences(reference(1))  # of an older version: it knows the first half of a summary
    assert far(old, seen(199, _3=999), REGION).tolist() == [1]
    assert [judge.name for judge in judges(old, PLAIN, [seen(1, _3=1)], [0], REGION_ALONE)] == ["refitted"]


def test_the_rules_are_the_models_that_at_one_percent_and_one_fitted_anew():
    rng = np.random.default_rng(0)
    chosen = [seen(length) for length in rng.uniform(0, 400, 300)]
    people = (np.arange(300) // 10).tolist()
    anew = KindReferences(reference(2, scale=2))
    model, one_percent, refitted = judges(PLAIN, anew, chosen, people, FRAME)
    assert (model.known, model.threshold) == (PLAIN, 1)
    shares = [one_percent.marks(one, FRAME)[0] for one in chosen]
    assert np.mean(shares) == pytest.approx(0.01)
    assert [share for share, _ in one_percent.curve] == list(CURVE)
    assert dict(one_percent.curve)[0.01] == one_percent.threshold
    assert refitted.curve == tuple((multiple, multiple) for multiple in MULTIPLES)
    assert (model.marks(seen(300), FRAME)[0], refitted.marks(seen(300), FRAME)[0]) == (True, False)


def test_a_kind_that_the_model_does_not_know_has_the_refitted_rule_alone():
    assert [judge.name for judge in judges(None, PLAIN, [seen(1)], [0], FRAME)] == ["refitted"]


@pytest.mark.parametrize("margin", [1.0, 1.25])
@pytest.mark.parametrize("count", [7, 99, 100, 101, 200, 470])
def test_the_cut_off_is_where_the_products_rule_begins_to_mark(count, margin):
    distances = np.sort(np.random.default_rng(count).random(count)).astype(np.float32)
    one = Reference(np.zeros(1, np.float32), np.eye(1, dtype=np.float32), distances, margin)
    edge = cut_off(one)
    for factor, marked in ((0.999, False), (1.001, True)):
        summary = np.array([edge * factor], np.float32)
        assert (one.typicality(summary) < ATYPICAL) is marked
