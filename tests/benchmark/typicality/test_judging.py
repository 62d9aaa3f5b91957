import numpy as np
import pytest

from benchmark.typicality.judging import CURVE, MARGINS, Judge, cut_off, distances, judges, threshold_at
from hmar.model.serving.typicality import Reference
from hmar.training.export.reference import fit_reference

PLAIN = Reference(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.arange(1, 201, dtype=np.float32))


def far(*lengths: float) -> np.ndarray:
    return np.array([[length, 0] for length in lengths], np.float32).reshape(-1, 2)


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
    assert judge.marks(far(0, 198.5, 199.5, 500)).tolist() == [False, False, True, True]
    assert judge.marks(far()).tolist() == []


def test_a_threshold_marks_what_is_beyond_it():
    assert Judge("at", "", PLAIN, 3.0).marks(far(1, 3, 3.5)).tolist() == [False, False, True]


def test_the_rules_are_the_models_that_at_one_percent_and_one_fitted_anew():
    rng = np.random.default_rng(0)
    chosen = rng.normal(5, 1, (300, 2)).astype(np.float32)
    people = np.arange(300) // 10
    model, one_percent, refitted = judges(PLAIN, chosen, people)
    assert (model.reference, model.threshold) == (PLAIN, None)
    assert np.mean(one_percent.marks(chosen)) == pytest.approx(0.01)
    assert [share for share, _ in one_percent.curve] == list(CURVE)
    assert dict(one_percent.curve)[0.01] == one_percent.threshold
    edge = cut_off(refitted.reference)
    assert refitted.curve == tuple((margin, margin * edge) for margin in MARGINS)
    fitted = fit_reference(chosen, people)
    assert np.array_equal(refitted.reference.distances, fitted.distances)
    # The model's own knows nothing of where these people are; the fitted one does.
    assert refitted.marks(np.array([[0, 0], [5, 5]], np.float32)).tolist() == [True, False]


@pytest.mark.parametrize("count", [7, 99, 100, 101, 200, 470])
def test_the_cut_off_is_where_the_products_rule_begins_to_mark(count):
    rng = np.random.default_rng(count)
    reference = Reference(PLAIN.mean, PLAIN.whitening, np.sort(rng.random(count)).astype(np.float32))
    lengths = far(*reference.distances, *np.nextafter(reference.distances, np.float32(2)), 2.0)
    beyond = distances(reference, lengths) > cut_off(reference)
    assert Judge("model", "", reference).marks(lengths).tolist() == beyond.tolist()
    assert beyond.any()


def test_distances_are_those_of_the_reference():
    assert distances(PLAIN, far(3, 4)).tolist() == [3, 4]
