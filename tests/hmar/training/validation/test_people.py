from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("kan", reason="the extra 'train' is not installed")

from hmar.training.config import PRESETS
from hmar.training.data.structures import UNLABELLED
from hmar.training.data.volumes import Volume
from hmar.training.validation.people import held_out_people
from tests.hmar.training.tiny import CONFIG, scan, trainer_of

LIVER, LUNG = 0, 5


def labelled(person: int, *structures: int) -> Volume:
    labels = np.full((6, 72, 72), UNLABELLED, np.int16)
    for structure in structures:
        labels[:, 20 * (structure % 2) : 20 * (structure % 2) + 15, :30] = structure
    return replace(scan("ct"), labels=labels, patient=f"patient {person:03}")


def people(count: int) -> list[Volume]:
    """Two scans of each person; every third shows a lung besides the liver."""
    each = [(LIVER, LUNG) if person % 3 == 0 else (LIVER,) for person in range(count)]
    return [labelled(person, *shown) for person, shown in enumerate(each) for _ in range(2)]


@pytest.mark.parametrize(("count", "held"), [(8, 0), (9, 1), (17, 2), (25, 3), (33, 3)])
def test_an_eighth_of_a_structures_people_is_held_out_with_all_their_scans(count, held):
    out = held_out_people(people(count), CONFIG)
    assert out.sum() == 2 * held
    assert np.array_equal(out[::2], out[1::2])


def test_a_rare_structure_keeps_three_quarters_of_its_people():
    volumes = people(40)
    out = held_out_people(volumes, CONFIG)
    lungs = np.array([bool((volume.labels == LUNG).any()) for volume in volumes])
    assert 0 < (lungs & out).sum() <= lungs.sum() / 4


def test_nobody_is_held_out_where_structures_are_not_learned_or_not_labelled():
    assert not held_out_people(people(20), PRESETS["open-ct"]).any()
    assert not held_out_people([replace(volume, labels=None) for volume in people(20)], CONFIG).any()
    empty = [replace(volume, labels=np.full_like(volume.labels, UNLABELLED)) for volume in people(20)]
    assert not held_out_people(empty, CONFIG).any()


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_backbone_is_known")
def test_people_who_are_held_out_are_not_trained_on_and_asked_for_their_structures():
    volumes = people(9)
    (held,) = {
        volume.patient for volume, out in zip(volumes, held_out_people(volumes, CONFIG), strict=True) if out
    }
    trainer = trainer_of(volumes)
    drawn = {
        volumes[volume].patient
        for _ in range(60)
        for volume in trainer._views.sampler.draw().place[:, 0].astype(int)
    }
    assert drawn == {volume.patient for volume in volumes} - {held}
    asked = {
        volumes[volume].patient
        for batch in trainer._views.places.batches
        for volume in batch.place[:, 0].astype(int)
    }
    assert asked == {held}
    assert trainer._views.places.gallery
    steps = []
    trainer.run(steps.append)
    assert any(step.validation is not None for step in steps)
