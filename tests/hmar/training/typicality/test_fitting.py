import numpy as np
import pytest

from hmar.training.typicality.fitting import OF_FRAMES, OF_REGIONS, Margins, fit_reference


def test_distances_are_those_of_mahalanobis_with_shrunk_correlations():
    rng = np.random.default_rng(0)
    summaries = (rng.standard_normal((300, 4)) @ rng.standard_normal((4, 4))).astype(np.float32)
    reference = fit_reference(summaries, np.arange(300) % 3, OF_FRAMES)
    deviation = summaries.std(axis=0, ddof=1)
    correlation = 0.7 * np.corrcoef(summaries.T) + 0.3 * np.eye(4)
    for point in summaries[:5]:
        z = (point - summaries.mean(axis=0)) / deviation
        expected = np.sqrt(z @ np.linalg.inv(correlation) @ z)
        assert reference.distance(point) == pytest.approx(expected, rel=1e-3)


def test_a_person_is_measured_from_the_others_and_not_from_own_slices():
    rng = np.random.default_rng(0)
    near, far = rng.standard_normal((50, 3)), rng.standard_normal((50, 3)) + 30
    reference = fit_reference(
        np.concatenate([near, near + 0.1, far]).astype(np.float32), np.arange(150) // 50, OF_FRAMES
    )
    assert len(reference.distances) == 150
    assert (np.diff(reference.distances) >= 0).all()
    assert (reference.distances > 20).sum() == 50


def test_whose_numbers_have_gaps_is_the_same():
    summaries = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    people = np.arange(60) // 20
    plain, gaps = (fit_reference(summaries, who, OF_FRAMES) for who in (people, people * 7 + 3))
    assert np.array_equal(plain.distances, gaps.distances)
    assert plain.margin == gaps.margin


def test_a_single_person_is_held_out_in_parts():
    summaries = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
    assert len(fit_reference(summaries, np.zeros(10, np.int64), OF_FRAMES).distances) == 10


def test_many_people_are_held_out_in_groups_of_whole_people(monkeypatch):
    monkeypatch.setattr("hmar.training.typicality.fitting._MOST_FOLDS", 2)
    rng = np.random.default_rng(0)
    twins = np.repeat(rng.standard_normal((4, 3)) * 50, 10, axis=0) + rng.standard_normal((40, 3))
    people = np.arange(40) // 10
    grouped = fit_reference(twins.astype(np.float32), people, OF_FRAMES)
    monkeypatch.undo()
    alone = fit_reference(twins.astype(np.float32), people, OF_FRAMES)
    assert len(grouped.distances) == len(alone.distances) == 40
    assert not np.array_equal(grouped.distances, alone.distances)


def test_more_dimensions_than_frames_and_a_person_with_nearly_all_are_no_obstacle():
    summaries = np.random.default_rng(0).standard_normal((12, 40)).astype(np.float32)
    for people in (np.arange(12) // 4, np.array([0] * 11 + [1])):
        reference = fit_reference(summaries, people, OF_FRAMES)
        assert np.isfinite(reference.whitening).all()
        assert np.isfinite(reference.distances).all()


@pytest.mark.parametrize(("people", "margin"), [(1, 1.5), (34, 1.5), (35, 1.25), (100, 1.25)])
def test_the_fewer_people_the_larger_is_the_margin(people, margin):
    rng = np.random.default_rng(0)
    summaries, owners = rng.standard_normal((100, 2)).astype(np.float32), np.arange(100) % people
    assert fit_reference(summaries, owners, OF_FRAMES).margin == margin
    assert fit_reference(summaries, owners, OF_REGIONS).margin < margin
    assert fit_reference(summaries, owners, Margins(3, 3)).margin == 3
