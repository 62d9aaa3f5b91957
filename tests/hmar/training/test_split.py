"""The sample of slices whose views are kept: balanced, by runs of neighbours, and split as they are."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.image_labels import NO_LABEL
from hmar.training.split import Split
from tests.hmar.training.tiny import CONFIG, labelled_volumes, scan, views_of


def test_a_sample_of_everything_is_everything():
    volumes = [scan("a", slices=20), scan("b", slices=6)]
    views = views_of(volumes, 1)
    split = Split.of(views, volumes, CONFIG)
    assert split.places.sum() == 3  # about an eighth of the 20, in the middle
    # Only half of a sample is held out, so that it may be smaller than what there is.
    rows = split.sample(views, 26, np.random.default_rng(0))
    assert rows.tolist() == list(range(26))


def test_a_small_sample_has_as_much_of_a_short_volume_as_of_a_long_one_in_runs():
    volumes = [scan("a", slices=200), scan("b", slices=20)]
    views = views_of(volumes, 1)
    split = Split.of(views, volumes, CONFIG)
    rows = split.sample(views, 32, np.random.default_rng(0))
    assert len(rows) == 32
    held = split.places[rows]
    assert 0 < held.sum() <= 16
    learnt = rows[~held]
    counts = np.bincount(views.volume[learnt], minlength=2)
    assert abs(int(counts[0]) - int(counts[1])) <= 1
    beside = [(row + 1 in learnt) or (row - 1 in learnt) for row in learnt]
    assert np.mean(beside) > 0.8


def test_a_sample_has_every_label_and_keeps_its_split():
    volumes = labelled_volumes()
    views = views_of(volumes, 1)
    split = Split.of(views, volumes, CONFIG)
    rows = split.sample(views, 20, np.random.default_rng(0))
    shown = views.content.clone()
    first = rows[np.flatnonzero(split.labels.label[rows] != NO_LABEL)[0]]
    shown[first] = False
    taken = split.take(rows, replace(views, content=shown[rows]))
    assert taken.labels.label[rows == first] == [NO_LABEL]  # it shows nothing now
    assert set(taken.labels.label[taken.learnt].tolist()) >= {0, 1}
    assert set(taken.labels.label[taken.patients].tolist()) == {0, 1}
    assert np.array_equal(taken.patients, split.patients[rows])
    assert not set(taken.labels.patient[taken.patients]) & set(taken.labels.patient[taken.learnt])
