import numpy as np
import pytest

from benchmark.lesions.figures import difference, ratio, row_figures
from benchmark.lesions.scoring import FIGURES
from benchmark.metrics.bootstrap import bootstrap_means

PEOPLE = np.array([0, 0, 0, 1, 1, 2, 3])
KINDS = ["x", "x", "y", "x", "x", "y", "y"]


def scores(seed):
    rng = np.random.default_rng(seed)
    made = {name: rng.random(7) for name in FIGURES}
    for values in made.values():
        values[6] = np.nan  # person 3 has nothing to find
    return made


def by_person(values):
    return [np.nanmean(values[person == PEOPLE]) for person in range(3)]


def test_every_person_counts_the_same_and_is_the_unit_of_the_interval():
    found = scores(0)
    row = row_figures(found, PEOPLE, KINDS)
    assert row["macro_map"] == pytest.approx(np.mean(by_person(found["ap"])))
    assert row["macro_map"] != pytest.approx(np.nanmean(found["ap"]))
    for name in ("share", "p_at_1", "p_at_3", "p_at_5", "p_at_10"):
        assert row[name] == pytest.approx(np.mean(by_person(found[name])))
    interval = bootstrap_means(np.array(by_person(found["ap"]))[:, None])
    assert row["ci95"] == [interval.low, interval.high]
    assert (row["clusters"], row["queries"], row["without_relevant"]) == (3, 6, 1)
    ap = found["ap"]
    assert row["per_class"] == pytest.approx(
        {"x": np.mean([ap[:2].mean(), ap[3:5].mean()]), "y": ap[[2, 5]].mean()}
    )


def test_differences_are_paired_person_by_person():
    a, b = scores(1), scores(2)
    found = difference(a, b, PEOPLE)
    for name, own in (("macro_map", "ap"), ("share", "share"), ("p_at_10", "p_at_10")):
        paired = np.array(by_person(a[own])) - by_person(b[own])
        interval = bootstrap_means(paired[:, None])
        assert found[name] == pytest.approx([paired.mean(), interval.low, interval.high])
    same = difference(a, a, PEOPLE)
    assert same["share"] == [0, 0, 0]


def test_a_ratio_to_nothing_is_none():
    row, zero = (
        {"macro_map": 0.5, "share": 0.4, "p_at_10": 0.3},
        {"macro_map": 0.25, "share": 0.0, "p_at_10": 0.6},
    )
    assert ratio(row, zero) == {"macro_map": 2.0, "share": None, "p_at_10": 0.5}
