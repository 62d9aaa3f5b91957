import numpy as np
import pytest

from benchmark.typicality.arriving import within
from benchmark.typicality.looking import REGIONS, look
from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.bundle import TYPICALITY
from hmar.model.serving.model import load_served
from hmar.model.serving.typicality import read_reference
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box, Spacing
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
    reference, encoder = read_reference(shipped_bundle() / TYPICALITY), HmarEncoder(model)
    ours = reference.typicality(look(model, chest).frame[None, None])
    assert ours == encoder.image_query(chest).typicality
    assert ours == encoder.region_query(chest, Box(50, 50, 40, 40)).typicality


def test_regions_are_drawn_once_for_all(model, chest):
    seen = look(model, chest)
    assert seen.regions.shape == (REGIONS, len(seen.frame))
    assert np.array_equal(seen.regions, look(model, chest).regions)
    assert len(np.unique(seen.regions, axis=0)) == REGIONS


def test_regions_of_a_patch_see_the_patch_alone(model, chest):
    white = np.full((32, 32), 255, np.uint8)
    other = Frame(chest.info, np.full_like(chest.values, 40.0), Units.HU)
    (frame, patch), (other_frame, _) = within(white, chest), within(white, other)
    seen, around = look(model, frame, patch), look(model, other_frame, patch)
    assert 0 < len(seen.regions) <= REGIONS
    # The backbone sees beyond a cell: what surrounds the patch matters far less than the patch.
    plain = look(model, chest, patch)
    assert np.abs(seen.regions - around.regions).mean() < 0.5 * np.abs(seen.regions - plain.regions).mean()


def test_a_frame_of_air_has_no_region(model):
    air = Frame(
        frame_info(200, 200, Spacing(1.0, 1.0), "CT"), np.full((200, 200), -1000, np.float32), Units.HU
    )
    assert len(look(model, air).regions) == 0
