import numpy as np
import pytest
from PIL import Image, ImageDraw

from hmar.encoder import HmarEncoder, shipped_bundle
from hmar.errors import ModelError
from hmar.image.windows import QueryWindows
from hmar.model.serving.references import (
    HU,
    KINDS,
    NO_REFERENCES,
    PICTURES,
    KindReferences,
    References,
    kind_of,
    read_references,
    write_references,
)
from hmar.model.serving.typicality import Reference
from hmar.values.frames import FloatArray, Frame, Units
from hmar.values.geometry import Box, Spacing
from hmar.values.hits import ATYPICAL
from tests.frames import frame_info
from tests.phantoms import slice_hu


@pytest.fixture(scope="module")
def encoder() -> HmarEncoder:
    return HmarEncoder.load(shipped_bundle())


def chest() -> Frame:
    values = slice_hu(1, 2).astype(np.float32)
    return Frame(frame_info(*values.shape, Spacing(2.0, 2.0), "CT", "CHEST"), values, Units.HU)


def shown(values: FloatArray, modality: str = "OT") -> Frame:
    return Frame(frame_info(*values.shape, None, modality), values.astype(np.float32), Units.PRESENTATION)


def printed(dark: bool, lines: int = 20) -> FloatArray:
    image = Image.new("L", (420, 300), 0 if dark else 255)
    for line in range(lines):
        ImageDraw.Draw(image).text((8, 14 * line), f"{line}. no image at all, only words", 255 if dark else 0)
    return np.asarray(image, np.float32) / 255


def test_a_slice_of_a_chest_is_typical(encoder):
    assert encoder.image_query(chest()).typicality > ATYPICAL


def test_a_region_of_a_chest_is_typical(encoder):
    assert encoder.region_query(chest(), Box(60, 60, 48, 48)).typicality > ATYPICAL


@pytest.mark.parametrize("name", ["noise", "words", "bright words", "a caption", "nothing"])
def test_noise_words_and_nothing_are_out_of_distribution(encoder, name):
    values = {
        "noise": lambda: np.random.default_rng(0).random((256, 256)),
        "words": lambda: printed(dark=False),
        "bright words": lambda: printed(dark=True),
        "a caption": lambda: printed(dark=True, lines=2),
        "nothing": lambda: np.ones((200, 200)),
    }[name]()
    assert encoder.image_query(shown(values)).typicality < ATYPICAL


def test_a_region_of_a_strange_frame_is_as_strange_and_one_that_is_strange_itself_is_told(encoder):
    frame = shown(np.random.default_rng(0).random((256, 256)))
    assert encoder.region_query(frame, Box(50, 50, 60, 60)).typicality < ATYPICAL
    slice_, box = chest(), Box(60, 60, 48, 48)
    values = slice_.values.copy()
    values[60:108, 60:108] = np.random.default_rng(0).choice([-1000, 1000], (48, 48))
    pasted = Frame(slice_.info, values, Units.HU)
    assert encoder.image_query(pasted).typicality > ATYPICAL
    assert encoder.region_query(pasted, box).typicality < ATYPICAL


def test_a_kind_that_the_model_does_not_know_is_not_told(encoder):
    ultrasound = shown(np.random.default_rng(0).random((256, 256)), "US")
    assert encoder.image_query(ultrasound).typicality is None
    assert encoder.region_query(ultrasound, Box(50, 50, 60, 60)).typicality is None


@pytest.mark.parametrize(
    ("units", "modality", "kind"),
    [
        (Units.HU, "CT", HU),
        (Units.PRESENTATION, "CT", "presentation:CT"),
        (Units.PRESENTATION, "DX", "presentation:XR"),
        (Units.PRESENTATION, "XC", "presentation:OTHER"),
        (Units.PRESENTATION, "OT", PICTURES),
        (Units.PRESENTATION, "", PICTURES),
    ],
)
def test_a_kind_is_of_units_and_of_the_group_of_the_modality(units, modality, kind):
    assert kind_of(units, modality) == kind
    assert kind in KINDS


def random_reference(width: int, seed: int) -> Reference:
    rng = np.random.default_rng(seed)
    arrays = (rng.random(shape).astype(np.float32) for shape in (width, (width, width), 9))
    mean, whitening, distances = arrays
    return Reference(mean, whitening, np.sort(distances), 1.25)


def test_references_are_read_as_they_were_written(tmp_path):
    regions = {3: random_reference(4, 1), 8: random_reference(4, 2)}
    written = {
        HU: KindReferences(random_reference(8, 0), regions),
        PICTURES: KindReferences(random_reference(8, 3)),
    }
    write_references(tmp_path / "typicality.npz", References(written))
    read = read_references(tmp_path / "typicality.npz").known
    assert read.keys() == written.keys()
    for kind, known in written.items():
        assert read[kind].regions.keys() == known.regions.keys()
        pairs = [(read[kind].frames, known.frames)]
        pairs += [(read[kind].regions[side], one) for side, one in known.regions.items()]
        for found, one in pairs:
            assert found.margin == 1.25
            for name in ("mean", "whitening", "distances"):
                assert np.array_equal(getattr(found, name), getattr(one, name))


def test_a_model_may_know_nothing(tmp_path):
    write_references(tmp_path / "typicality.npz", NO_REFERENCES)
    read = read_references(tmp_path / "typicality.npz")
    assert read.typicality(HU, np.zeros((3, 3, 4), np.float32), np.ones((3, 3), np.float32)) is None


def test_a_file_of_an_older_version_judges_all_frames_by_its_one_reference_and_regions_by_their_frame(
    tmp_path,
):
    old = random_reference(4, 0)
    np.savez_compressed(tmp_path / "old.npz", mean=old.mean, whitening=old.whitening, distances=old.distances)
    read = read_references(tmp_path / "old.npz")
    cells = np.random.default_rng(1).random((6, 6, 4)).astype(np.float32)
    share = np.zeros((6, 6), np.float32)
    share[0, 0] = 1
    expected = Reference(old.mean, old.whitening, old.distances).typicality(cells.mean(axis=(0, 1)))
    windows = QueryWindows(np.zeros(1), np.zeros(1), 3)
    for kind in KINDS:
        assert read.typicality(kind, cells, share) == expected
        assert read.typicality(kind, cells, share, windows) == expected


def test_a_region_is_compared_with_windows_of_the_nearest_size_and_its_frame():
    def distances(low: float) -> Reference:
        return Reference(np.zeros(1, np.float32), np.eye(1, dtype=np.float32), np.array([low, 9], np.float32))

    frames = Reference(np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.array([2, 9], np.float32))
    known = References({HU: KindReferences(frames, {3: distances(0.5), 8: distances(2)})})

    def typicality(value: float, side: float) -> float | None:
        cells, share = np.full((9, 9, 1), value, np.float32), np.ones((9, 9), np.float32)
        return known.typicality(HU, cells, share, QueryWindows(np.zeros(1), np.zeros(1), side))

    assert typicality(1, 2.5) == 0.5
    assert typicality(1, 8) == 1
    assert typicality(1.9, 8) == 0.5  # by its frame, which lies 1.9 * sqrt(2) away


@pytest.mark.parametrize("damage", ["bytes", "a missing array", "another kind"])
def test_a_file_of_anything_else_is_refused_with_a_remedy(tmp_path, damage):
    path = tmp_path / "typicality.npz"
    if damage == "bytes":
        path.write_bytes(b"no archive")
    elif damage == "a missing array":
        np.savez(path, **{f"{HU}.frames.mean": np.zeros(3)})
    else:
        np.savez(path, **{"presentation:XYZ.frames.mean": np.zeros(3)})
    with pytest.raises(ModelError, match="cannot be read") as caught:
        read_references(path)
    assert "hmar export-model" in caught.value.remedy
