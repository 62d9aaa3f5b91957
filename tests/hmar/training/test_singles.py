"""When stages on views are left out."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.singles import suited
from tests.hmar.training.tiny import CONFIG, labelled_volumes, scan

FILMS = labelled_volumes()[-18:]


def test_single_images_with_labels_alone_are_taught_labels_alone():
    used = suited(CONFIG, FILMS)
    assert (used.image_steps, used.region_steps, used.settle_steps) == (0, 0, 0)
    assert used.label_steps == CONFIG.label_steps


@pytest.mark.parametrize("volumes", [
    [*FILMS, scan("ct")],  # has places
    [replace(film, image_labels=None) for film in FILMS],  # has no label
    [replace(film, image_labels=np.zeros(1, np.int64)) for film in FILMS],  # has a single one
    [replace(FILMS[0], labels=np.zeros((1, 72, 72), np.int16)), *FILMS[1:]],  # has a structure
])  # fmt: skip
def test_whatever_else_can_be_learnt_is_taught_as_before(volumes):
    assert suited(CONFIG, volumes) == CONFIG


def test_where_labels_are_not_to_be_learnt_nothing_is_left_out():
    for without in (
        replace(CONFIG, label_steps=0),
        replace(CONFIG, structure_weight=0.0, structure_contrast=0.0),
    ):
        assert suited(without, FILMS) == without
