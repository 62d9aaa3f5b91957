import numpy as np
import pytest

from hmar.training.data.group_sampler import GroupSampler


def test_classes_are_drawn_alike_and_groups_by_the_root_of_their_size():
    labels = np.array([0] * 100 + [1] * 5)
    groups = np.array([7] * 64 + [8] * 36 + [9] * 5)
    rows = GroupSampler(labels, groups).draw(20_000, np.random.default_rng(0))
    assert np.mean(labels[rows]) == pytest.approx(1 / 2, abs=0.02)
    assert np.mean(groups[rows][labels[rows] == 0] == 7) == pytest.approx(8 / 14, abs=0.02)
