"""One call for all figures, against plain loops over one query at a time."""

import doctest
import json
import subprocess
import sys

import numpy as np
import pytest

import benchmark
from benchmark.metrics import evaluation
from benchmark.metrics.figures import distances, expected_ap
from hmar.errors import ParameterError

RANDOM = np.random.default_rng(3)
CODES = RANDOM.integers(0, 6, (40, 2)).astype(np.uint8)
LABELS = [("lung", "liver", "bone")[number] for number in RANDOM.integers(0, 3, 40)]
PATIENTS = RANDOM.integers(0, 12, 40).tolist()


def mean_by_class(values: list[float], labels: list[str]) -> float:
    means = [
        np.mean([value for value, label in zip(values, labels, strict=True) if label == one])
        for one in sorted(set(labels))
    ]
    return float(np.mean(means))


def expected(query: slice, gallery: slice, *, own: bool) -> list[float]:
    """Return the average precision of each query, patients' own items left out where ``own``."""
    apart = distances(CODES[query], CODES[gallery])
    found = []
    for row, (label, patient) in enumerate(zip(LABELS[query], PATIENTS[query], strict=True)):
        kept = np.array([not own or other != patient for other in PATIENTS[gallery]])
        good = np.array([other == label for other in LABELS[gallery]])
        found.append(expected_ap(apart[row][kept], good[kept]))
    return found


def test_codes_with_a_gallery_are_measured_as_one_query_at_a_time() -> None:
    query, gallery = slice(0, 15), slice(15, 40)
    figures = benchmark.evaluate(CODES[query], LABELS[query], CODES[gallery], LABELS[gallery], k=5)
    ap = expected(query, gallery, own=False)
    assert figures.macro_map.mean == pytest.approx(mean_by_class(ap, LABELS[query]))
    assert figures.micro_map.mean == pytest.approx(np.mean(ap))
    assert (figures.queries, figures.gallery, figures.k) == (15, 25, 5)
    assert set(figures.per_class) == set(LABELS[query])
    assert np.mean(list(figures.per_class.values())) == pytest.approx(figures.macro_map.mean)


def test_without_a_gallery_a_patient_is_not_searched_for_among_its_own() -> None:
    everything = slice(0, 40)
    figures = benchmark.evaluate(CODES, LABELS, groups=PATIENTS)
    assert figures.micro_map.mean == pytest.approx(np.mean(expected(everything, everything, own=True)))
    itself = benchmark.evaluate(CODES, LABELS)
    apart = distances(CODES, CODES)
    without_itself = [
        expected_ap(np.delete(apart[row], row), np.delete(np.array(LABELS) == label, row))
        for row, label in enumerate(LABELS)
    ]
    assert itself.micro_map.mean == pytest.approx(np.mean(without_itself))


def test_the_patients_of_a_gallery_are_left_out_of_their_own_queries() -> None:
    query, gallery = slice(0, 15), slice(15, 40)
    figures = benchmark.evaluate(
        CODES[query],
        LABELS[query],
        CODES[gallery],
        LABELS[gallery],
        groups=PATIENTS[query],
        gallery_groups=PATIENTS[gallery],
    )
    assert figures.micro_map.mean == pytest.approx(np.mean(expected(query, gallery, own=True)))


def test_intervals_widen_where_patients_have_several_queries() -> None:
    codes = np.repeat(CODES[:10], 4, axis=0)
    labels = np.repeat(LABELS[:10], 4)
    alone = benchmark.evaluate(codes, labels, CODES[10:], LABELS[10:])
    grouped = benchmark.evaluate(codes, labels, CODES[10:], LABELS[10:], groups=np.repeat(range(10), 4))
    assert alone.micro_map.mean == grouped.micro_map.mean
    assert grouped.micro_map.high - grouped.micro_map.low > 1.5 * (alone.micro_map.high - alone.micro_map.low)


def test_figures_up_to_a_rank_follow_from_the_first_hits() -> None:
    query = np.array([[0]], np.uint8)
    gallery = np.array([[0b1], [0b11], [0b111], [0b1111]], np.uint8)
    figures = benchmark.evaluate(query, ["a"], gallery, ["b", "a", "a", "a"], k=2)
    assert figures.precision_at_1.mean == 0
    assert figures.precision_at_k.mean == 0.5
    assert figures.recall_at_k.mean == pytest.approx(1 / 3)
    assert figures.macro_map_at_k.mean == pytest.approx(0.25)  # (0 + 1/2) / min(2, 3)


def test_floats_of_any_width_are_compared_by_cosine() -> None:
    features = RANDOM.standard_normal((30, 8))
    figures = benchmark.evaluate(features, LABELS[:30])
    scaled = benchmark.evaluate(7 * features.astype(np.float32), LABELS[:30])
    assert scaled.micro_map.mean == pytest.approx(figures.micro_map.mean)


def test_figures_are_json_with_null_for_what_is_not_defined() -> None:
    figures = benchmark.evaluate(CODES[:3], ["a", "b", "c"])
    assert figures.without_relevant == 3
    told = json.loads(json.dumps(figures.to_dict(), allow_nan=False))
    assert told["macro_map"] == {"mean": None, "low": None, "high": None}
    assert told["queries"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CODES, LABELS, CODES), "Give both, or neither"),
        ((CODES, LABELS[:3]), "Give one label for each"),
        ((CODES.astype(np.int64), LABELS), "Give packed codes"),
        ((CODES[0], LABELS[:2]), "Give packed codes"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        benchmark.evaluate(*arguments)


def test_groups_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="the queries' groups as well"):
        benchmark.evaluate(CODES, LABELS, CODES, LABELS, gallery_groups=PATIENTS)
    with pytest.raises(ParameterError):
        benchmark.evaluate(CODES, LABELS, CODES, LABELS, groups=PATIENTS[:5])


def test_the_example_of_its_docstring_is_true() -> None:
    assert doctest.testmod(evaluation, extraglobs={"np": np}).failed == 0


def test_importing_the_benchmark_imports_nothing_else() -> None:
    script = "import sys, benchmark; print('evaluate' in dir(benchmark), 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False"]
