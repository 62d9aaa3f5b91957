from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

from hmar.errors import NotFoundError
from hmar.training.carrying.carry import agreed, carry_labels, plan_carrying
from hmar.training.carrying.kept_maps import KeptMaps
from hmar.training.carrying.register import Fit
from hmar.training.config import TrainingConfig
from hmar.training.data.structures import UNLABELLED
from hmar.training.validation.people import held_out_people
from tests.hmar.training.carrying.bodies import (
    KIDNEY,
    LIVER,
    LUNG_LEFT,
    RIB,
    STRUCTURES,
    atlas,
    patient,
    volume,
)

QUICK = Fit(coarse_mm=12, fine_mm=9, first_steps=4, affine_steps=12, bent_steps=30)


def quiet(*_: object) -> None:
    """Told of nothing."""


@pytest.mark.slow
def test_unlabelled_people_get_labels_that_are_right_and_others_stay_as_they_are(tmp_path):
    body, (person, right) = atlas(), patient()
    body = replace(body, name="atlas")
    own = volume(person.values, np.where(right == KIDNEY, KIDNEY, -2).astype(np.int16), name="third")
    few, magnetic = volume(person.values[:5]), replace(person, modality="MR")
    told = []
    given = [person, few, body, own, magnetic]
    done = carry_labels(given, STRUCTURES, KeptMaps(tmp_path, QUICK), lambda *at: told.append(at))
    got = done.volumes[0]
    assert all(after is before for after, before in zip(done.volumes[1:], given[1:], strict=True))
    assert got.carried
    assert got.values is person.values
    for organ in (LIVER, LUNG_LEFT):
        found = got.labels == organ
        assert found.sum() > 0.2 * (right == organ).sum()
        assert (right[found] == organ).mean() > 0.95
    none = got.labels == -1
    assert none.sum() > 1000
    assert (right[none] == -1).mean() > 0.95
    assert not (got.labels == RIB).any()
    assert told == [("carrying labels", 1, 1)]
    assert (done.labelled, done.people, done.refused) == (1, 1, 0)
    assert done.atlases == ("atlas", "third")
    assert 0.2 < done.kept_share < 1


@pytest.mark.slow
def test_a_map_is_found_once_and_read_afterwards(tmp_path):
    body, (person, _) = atlas(), patient()
    folder = tmp_path / "maps"
    maps = KeptMaps(folder, QUICK)
    assert plan_carrying([body, person], STRUCTURES, maps).maps_to_find == 1
    first = carry_labels([body, person], STRUCTURES, maps, quiet)
    (file,) = folder.iterdir()
    assert plan_carrying([body, person], STRUCTURES, KeptMaps(folder, QUICK)).maps_to_find == 0
    written = file.stat().st_mtime_ns
    again = carry_labels([body, person], STRUCTURES, KeptMaps(folder, QUICK), quiet)
    np.testing.assert_array_equal(first.volumes[1].labels, again.volumes[1].labels)
    assert file.stat().st_mtime_ns == written
    assert KeptMaps(folder, replace(QUICK, bent_steps=1)).has(person, body) is False
    file.write_bytes(file.read_bytes()[:40])
    repaired = carry_labels([body, person], STRUCTURES, KeptMaps(folder, QUICK), quiet)
    np.testing.assert_array_equal(first.volumes[1].labels, repaired.volumes[1].labels)
    assert file.stat().st_mtime_ns > written


@pytest.mark.slow
def test_what_does_not_look_like_the_atlas_gets_no_labels(tmp_path):
    body = atlas()
    rng = np.random.default_rng(0)
    blobs = rng.integers(-1000, 1000, (12, 10, 12)).astype(np.int16)
    strange = volume(np.kron(blobs, np.ones((3, 6, 6), np.int16)))
    air = volume(np.full((12, 40, 40), -1000, np.int16))
    done = carry_labels([body, strange, air], STRUCTURES, KeptMaps(tmp_path, QUICK), quiet)
    assert [given.labels is None for given in done.volumes] == [False, True, True]
    assert (done.labelled, done.refused) == (0, 2)
    assert "carried by registration to 0 CT volumes" in done.line()


def test_where_two_people_differ_nothing_is_kept():
    first = np.array([LIVER, LIVER, LIVER, UNLABELLED, -1, UNLABELLED], np.int16)
    second = np.array([LIVER, KIDNEY, UNLABELLED, KIDNEY, KIDNEY, UNLABELLED], np.int16)
    third = np.array([LIVER, LIVER, UNLABELLED, KIDNEY, UNLABELLED, -1], np.int16)
    np.testing.assert_array_equal(agreed([first, second, third]), [LIVER, -2, LIVER, KIDNEY, -2, -1])
    np.testing.assert_array_equal(first, [LIVER, LIVER, LIVER, UNLABELLED, -1, UNLABELLED])


def test_without_labels_that_can_be_carried_it_is_refused(tmp_path):
    body, (person, _) = atlas(), patient()
    ribs = replace(body, labels=np.where(body.labels == RIB, RIB, -2).astype(np.int16))
    with pytest.raises(NotFoundError, match=r"No CT volume of 100 mm or more has .* --with-open-ct"):
        plan_carrying([ribs, person], STRUCTURES, KeptMaps(tmp_path))


def test_labels_come_from_long_scans_with_most_structures_one_of_each_person(tmp_path):
    body, (person, _) = atlas(), patient()
    short = replace(body, values=body.values[:16], labels=body.labels[:16], patient="short")
    fewer = replace(body, labels=np.where(body.labels == LIVER, LIVER, -1).astype(np.int16))
    another = replace(fewer, patient="another")
    plan = plan_carrying([short, another, fewer, person, body, body], STRUCTURES, KeptMaps(tmp_path))
    assert (plan.atlases, plan.targets) == ((4, 1), (3,))


def test_the_plan_says_how_many_and_how_long(tmp_path):
    body, (person, _) = atlas(), patient()
    other = replace(body, patient="another")
    plan = plan_carrying([body, person, person, other, other], STRUCTURES, KeptMaps(tmp_path))
    assert (plan.atlases, plan.targets) == ((0, 3), (1, 2))
    assert plan.line() == (
        "2 CT volumes without labels may get those of 2 others: 4 maps to find, about 2 minutes on one core"
    )
    assert not any(tmp_path.iterdir())


def test_people_with_carried_labels_are_not_held_out():
    labels = np.zeros((8, 4, 4), np.int16)
    people = [
        replace(volume(labels, labels, patient=str(number)), carried=number > 3) for number in range(12)
    ]
    assert not held_out_people(people, TrainingConfig()).any()
    assert held_out_people([replace(one, carried=False) for one in people], TrainingConfig()).sum() == 1
