import numpy as np
import pytest
from PIL import Image, ImageDraw

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.model.serving.typicality import Reference, read_reference, write_reference
from hmar.values.frames import FloatArray, Frame, Units
from hmar.values.geometry import Box, Spacing
from hmar.values.hits import ATYPICAL
from tests.frames import frame_info
from tests.phantoms import slice_hu


@pytest.fixture(scope="module")
def encoder() -> HmarEncoder:
    return HmarEncoder.load(shipped_bundle())


def shown(values: FloatArray) -> Frame:
    return Frame(frame_info(*values.shape, None, "OT"), values.astype(np.float32), Units.PRESENTATION)


def printed(dark: bool) -> FloatArray:
    image = Image.new("L", (420, 300), 0 if dark else 255)
    for line in range(20):
        ImageDraw.Draw(image).text((8, 14 * line), f"{line}. no image at all, only words", 255 if dark else 0)
    return np.asarray(image, np.float32) / 255


def test_a_slice_of_a_chest_is_typical(encoder):
    values = slice_hu(1, 2).astype(np.float32)
    frame = Frame(frame_info(*values.shape, Spacing(2.0, 2.0), "CT", "CHEST"), values, Units.HU)
    assert encoder.image_query(frame).typicality > 0.05


@pytest.mark.parametrize("name", ["noise", "words", "bright words", "nothing"])
def test_noise_words_and_nothing_are_out_of_distribution(encoder, name):
    values = {
        "noise": lambda: np.random.default_rng(0).random((256, 256)),
        "words": lambda: printed(dark=False),
        "bright words": lambda: printed(dark=True),
        "nothing": lambda: np.ones((200, 200)),
    }[name]()
    assert encoder.image_query(shown(values)).typicality < ATYPICAL


def test_region_and_image_queries_of_a_frame_are_as_typical(encoder):
    values = np.random.default_rng(0).random((256, 256))
    frame = shown(values)
    region = encoder.region_query(frame, Box(50, 50, 60, 60))
    assert region.typicality == encoder.image_query(frame).typicality


def test_typicality_is_the_share_of_held_out_frames_that_lie_as_far():
    whitening = np.diag([1.0, 0.5]).astype(np.float32)
    reference = Reference(np.zeros(2, np.float32), whitening, np.array([1, 2, 2, 4], np.float32))

    def at(x: float, y: float) -> float:
        return reference.typicality(np.broadcast_to(np.array([x, y], np.float32), (3, 5, 2)))

    assert (at(0, 0), at(1.5, 0), at(0, 4), at(2.5, 0), at(0, 9)) == (1, 0.75, 0.75, 0.25, 0)


def test_distance_is_the_length_of_the_whitened_difference_of_the_mean():
    whitening = np.diag([1.0, 0.5]).astype(np.float32)
    reference = Reference(np.ones(2, np.float32), whitening, np.ones(1, np.float32))
    backbone_map = np.array([[[0.0, 0.0], [8.0, 18.0]]], np.float32)  # its mean is (4, 9)
    assert reference.distance(backbone_map) == 5


def test_a_reference_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    reference = Reference(*(rng.random(shape).astype(np.float32) for shape in (4, (4, 4), 9)))
    write_reference(tmp_path / "typicality.npz", reference)
    read = read_reference(tmp_path / "typicality.npz")
    for name in ("mean", "whitening", "distances"):
        assert np.array_equal(getattr(read, name), getattr(reference, name))
