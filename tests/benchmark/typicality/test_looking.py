import numpy as np
import pytest

from benchmark.typicality.arriving import within
from benchmark.typicality.judging import FRAME, REGION, Judge
from benchmark.typicality.looking import REGIONS, look, look_within
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.serving.model import load_served
from hmar.model.serving.references import HU
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Spacing
from hmar.values.hits import ATYPICAL
from tests.frames import frame_info
from tests.phantoms import slice_hu


@pytest.fixture(scope="module")
def model():
    return load_served(shipped_bundle())


@pytest.fixture(scope="module")
def chest():
    values = slice_hu(1, 2).astype(np.float32)
    return Frame(frame_info(*values.shape, Spacing(2.0, 2.0), "CT", "CHEST"), values, Units.HU)


def test_frames_and_regions_are_judged_as_the_product_does(model, chest):
    known, encoder = model.references.known[HU], HmarEncoder(model)
    judge = Judge("model", "", known)
    seen = look(model, chest)
    assert known.frames.typicality(seen.frame) == encoder.image_query(chest).typicality
    for value in (0, 90, 255):
        frame, patch = within(np.full((32, 32), value, np.uint8), chest)
        _, whole = look_within(model, frame, patch)
        typicality = encoder.region_query(frame, patch).typicality
        (side,) = whole.sides
        assert side == 6
        alone = known.regions[6].typicality(whole.regions[0])
        assert min(alone, known.frames.typicality(whole.frame)) == typicality
        assert judge.marks(whole, REGION).tolist() == [typicality < ATYPICAL]
    assert judge.marks(seen, FRAME).tolist() == [False]


def test_regions_are_drawn_once_for_all_and_as_many_of_each_size(model, chest):
    seen = look(model, chest)
    assert seen.regions.shape == (3 * REGIONS, len(seen.frame) // 2)
    assert [(seen.sides == side).sum() for side in (2, 4, 6)] == [REGIONS] * 3
    assert np.array_equal(seen.regions, look(model, chest).regions)
    assert len(np.unique(seen.regions, axis=0)) == 3 * REGIONS


def test_regions_of_a_patch_see_the_patch_alone(model, chest):
    white = np.full((32, 32), 255, np.uint8)
    other = Frame(chest.info, np.full_like(chest.values, 40.0), Units.HU)
    (frame, patch), (other_frame, _) = within(white, chest), within(white, other)
    (seen, _), (around, _) = look_within(model, frame, patch), look_within(model, other_frame, patch)
    assert 0 < len(seen.regions) <= REGIONS
    assert set(seen.sides) == {2}
    # The backbone sees beyond a cell: what surrounds the patch matters far less than the patch.
    plain, _ = look_within(model, chest, patch)
    assert np.abs(seen.regions - around.regions).mean() < 0.5 * np.abs(seen.regions - plain.regions).mean()


def test_a_frame_of_air_has_no_region(model):
    air = Frame(
        frame_info(200, 200, Spacing(1.0, 1.0), "CT"), np.full((200, 200), -1000, np.float32), Units.HU
    )
    assert len(look(model, air).regions) == 0
