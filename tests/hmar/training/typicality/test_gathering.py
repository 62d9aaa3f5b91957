"""References fitted with the shipped model to small phantoms."""

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import DecodeError
from hmar.model.serving.references import HU, PICTURES
from hmar.training.typicality.gathering import fit_references, picture_of
from hmar.training.typicality.places import Place
from hmar.training.typicality.summaries import Counted
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Spacing
from tests.frames import frame_info
from tests.phantoms import slice_hu


@pytest.fixture(scope="module")
def encoder() -> HmarEncoder:
    return HmarEncoder.load(shipped_bundle())


def chest(series: int, plane: int) -> Frame:
    values = slice_hu(series, plane).astype(np.float32)
    return Frame(frame_info(*values.shape, Spacing(2.0, 2.0), "CT"), values, Units.HU)


def places(count: int) -> list[Place]:
    def reader(number: int) -> Callable[[], Frame]:
        return lambda: chest(number % 4 + 1, number // 4 + 1)

    return [Place(f"person {number % 4}", "CT", reader(number)) for number in range(count)]


@pytest.mark.slow
def test_slices_are_looked_at_twice_and_a_frame_that_is_gone_stops_nothing(encoder):
    def gone() -> Frame:
        raise DecodeError("gone", "look")

    told: list[tuple[int, int]] = []
    given = [*places(8), Place("person 9", "CT", gone)]
    found = fit_references(encoder, given, lambda *done: told.append(done))
    assert found.fitted == {HU: Counted(8, 4), PICTURES: Counted(8, 4)}
    assert (found.too_few, found.unread) == ({}, 1)
    assert told[-1] == (9, 9)
    known = found.references.known[HU]
    assert (len(known.frames.mean), set(known.regions)) == (2 * len(known.regions[2].mean), {2, 4, 6})


def test_a_frame_of_air_has_features_and_teaches_nothing(encoder):
    air = Frame(frame_info(96, 96, Spacing(2.0, 2.0), "CT"), np.full((96, 96), -1000, np.float32), Units.HU)
    found = fit_references(encoder, [Place("one", "CT", lambda: air)], lambda *_: None)
    assert (found.fitted, found.too_few, found.unread) == ({}, {}, 0)


@pytest.mark.slow
def test_too_few_are_said_and_not_fitted(encoder):
    found = fit_references(encoder, places(3), lambda *_: None)
    assert (found.references.known, found.fitted) == ({}, {})
    assert found.too_few == {HU: Counted(3, 3), PICTURES: Counted(3, 3)}


def test_a_picture_of_a_slice_knows_no_units_no_spacing_and_no_modality():
    picture = picture_of(chest(1, 1))
    assert (picture.units, picture.info.spacing, picture.info.modality) == (Units.PRESENTATION, None, "OT")
    assert picture.values.shape == chest(1, 1).values.shape
