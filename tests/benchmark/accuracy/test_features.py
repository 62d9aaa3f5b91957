"""Features: described once, kept through interruptions and damage, and always in the order asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.accuracy.feature_cache import Described, FeatureCache
from benchmark.accuracy.features import LOOKS, SHARD_IMAGES, FeatureStore
from benchmark.accuracy.lite0 import HEAD_CHANNELS, untrained_lite0
from benchmark.accuracy.pixels import SIDE, THUMBNAIL_SIDE, square, thumbnail
from benchmark.datasets import read_image
from benchmark.datasets.duplicates import Prints
from benchmark.types import Dataset, Features, LabelledImage, Split
from hmar.errors import UnavailableError
from hmar.image.grid import HU_DISPLAY_WINDOWS, GridConfig, channels, make_grid, resample
from hmar.model.backbones.efficientnet_lite0 import CHANNELS
from hmar.training.data.dicom_series import single_volume
from hmar.values.frames import Frame, Units
from tests.benchmark.datasets.trees import picture
from tests.benchmark.peers.backbones import PlainBackbone, silent
from tests.frames import frame_info

SPLITS = ("train", "val", "test")


def pictures(root: Path, count: int) -> Dataset:
    """Write pictures of two classes and three groups, dealt to the sides in turn."""
    images = []
    for number in range(count):
        path = root / "ab"[number % 2] / f"{number}.png"
        picture(path, number)
        images.append(LabelledImage(path, "ab"[number % 2], f"g{number % 3}", SPLITS[number % 3]))
    return Dataset("drawn", tuple(images), ("a", "b"))


def some(dataset: Dataset, count: int) -> Dataset:
    return replace(dataset, images=dataset.images[:count])


def shards(cache: Path) -> list[Path]:
    return sorted((cache / FeatureStore(PlainBackbone(), cache).fingerprint).glob("*.npz"))


def extracted(dataset: Dataset, cache: Path) -> int:
    """Go over a data set with a new store, and return how many images its backbone saw."""
    backbone = PlainBackbone()
    FeatureStore(backbone, cache).complete(dataset, silent)
    return backbone.seen


def described_in(cache: Path, dataset: Dataset, backbone: PlainBackbone) -> dict[Split, Features]:
    """Return the features of each split, by a new store."""
    store = FeatureStore(backbone, cache)
    return store.features(store.complete(dataset, silent))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# What is kept


def test_every_side_has_its_images_in_the_order_of_the_data_set(tmp_path, cache):
    dataset = pictures(tmp_path, 23)
    shuffled = tuple(dataset.images[row] for row in np.random.default_rng(0).permutation(23))
    described_in(cache, some(dataset, 9), PlainBackbone())
    described_in(cache, dataset, PlainBackbone())
    assert len(shards(cache)) == 2
    sides = described_in(cache, replace(dataset, images=shuffled), PlainBackbone())
    for split in SPLITS:
        images = [image for image in shuffled if image.split == split]
        found = sides[split]
        assert len(found) == len(images)
        assert found.labels.tolist() == ["ab".index(image.label) for image in images]
        assert found.groups.tolist() == [int(image.group[1]) for image in images]
        for row, image in enumerate(images):
            seen = square(read_image(image.path))
            np.testing.assert_array_equal(found.pooled[row], PlainBackbone().describe(seen[None])[0])
            seed = int(hashlib.sha256(image.path.read_bytes()).hexdigest()[:8], 16)
            looks = PlainBackbone().looks(single_volume("image", read_image(image.path), -1), LOOKS, seed)
            np.testing.assert_array_equal(found.parts[:, row], looks)
            np.testing.assert_array_equal(found.thumbnails[row], thumbnail(seen))


def test_nothing_is_described_twice(tmp_path, cache):
    dataset = pictures(tmp_path, 10)
    assert extracted(dataset, cache) == 10
    assert extracted(dataset, cache) == 0
    assert extracted(replace(dataset, images=dataset.images[::-1]), cache) == 0


def test_a_store_that_holds_half_of_the_images_describes_only_the_rest(tmp_path, cache):
    dataset = pictures(tmp_path, 20)
    assert extracted(some(dataset, 12), cache) == 12
    assert extracted(dataset, cache) == 8


@pytest.mark.slow
def test_an_interrupted_run_keeps_every_complete_shard(tmp_path, cache):
    dataset = pictures(tmp_path, SHARD_IMAGES + 6)
    store = FeatureStore(PlainBackbone(stops_after=SHARD_IMAGES + 4), cache)
    with pytest.raises(UnavailableError):
        store.complete(dataset, silent)
    assert [file.suffix for file in (cache / store.fingerprint).iterdir()] == [".npz"]
    assert extracted(dataset, cache) == 6


def test_shards_that_begin_with_the_same_image_are_all_kept(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    store = FeatureStore(PlainBackbone(), cache)
    for other in (1, 2, 3):
        folder = FeatureCache(cache / "shards")
        digests = ["first", f"other {other}"]
        folder.add(digests, described(store, dataset.images[0].path, dataset.images[other].path))
    folder = FeatureCache(cache / "shards")
    assert len(list((cache / "shards").glob("*.npz"))) == 3
    for other in (1, 2, 3):
        expected = described(store, dataset.images[other].path).thumbnails
        np.testing.assert_array_equal(folder.column("thumbnails", [f"other {other}"]), expected)


def described(store: FeatureStore, *paths: Path) -> Described:
    images = tuple(LabelledImage(path, "a", "g", "train") for path in paths)
    sides = store.features(store.complete(Dataset("d", images, ("a",)), silent))["train"]
    prints = store.prints(paths)
    return Described(sides.pooled, sides.parts.swapaxes(0, 1), sides.thumbnails, prints.pixels, prints.hashes)


def test_prints_are_kept_with_the_features_and_no_file_is_decoded_again(tmp_path, cache):
    dataset = pictures(tmp_path, 6)
    extracted(dataset, cache)
    paths = [image.path for image in dataset.images][::-1]
    expected = Prints.of([read_image(path) for path in paths])
    found = FeatureStore(PlainBackbone(), cache).prints(paths)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.hashes, expected.hashes)


def test_one_content_under_two_names_is_described_once(tmp_path, cache):
    dataset = pictures(tmp_path, 5)
    copied = tmp_path / "b" / "copy.png"
    copied.write_bytes(dataset.images[0].path.read_bytes())
    both = replace(dataset, images=(*dataset.images, replace(dataset.images[0], path=copied, split="test")))
    backbone = PlainBackbone()
    sides = described_in(cache, both, backbone)
    assert backbone.seen == 5
    np.testing.assert_array_equal(sides["test"].pooled[-1], sides["train"].pooled[0])


def test_a_file_with_new_content_is_described_anew(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    extracted(dataset, cache)
    picture(dataset.images[1].path, 99)
    assert extracted(dataset, cache) == 1


def test_another_backbone_has_a_folder_of_its_own(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    for letter in "ab":
        backbone = PlainBackbone(letter * 64)
        FeatureStore(backbone, cache).complete(dataset, silent)
        assert backbone.seen == 4
    first, second = sorted(folder.name for folder in cache.iterdir())
    assert "a" * 32 in first
    assert "b" * 32 in second


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(_data: bytes) -> bytes:
    return b""


def replaced(_data: bytes) -> bytes:
    return b"not an archive"


def changed_within(data: bytes) -> bytes:
    """Change one byte of the features: the archive still opens and has its list of images."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut_in_half, emptied, replaced, changed_within])
def test_a_damaged_shard_is_dropped_and_its_images_are_described_again(
    tmp_path: Path, cache: Path, damage: Callable[[bytes], bytes]
) -> None:
    dataset = pictures(tmp_path, 12)
    expected = described_in(cache, some(dataset, 8), PlainBackbone())
    (shard,) = shards(cache)
    described_in(cache, dataset, PlainBackbone())
    shard.write_bytes(damage(shard.read_bytes()))
    backbone = PlainBackbone()
    again = described_in(cache, some(dataset, 8), backbone)
    assert backbone.seen == 8
    for split in SPLITS:
        np.testing.assert_array_equal(again[split].pooled, expected[split].pooled)
        np.testing.assert_array_equal(again[split].parts, expected[split].parts)
    assert extracted(dataset, cache) == 0


def test_an_unfinished_shard_of_a_killed_run_is_not_read(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    extracted(dataset, cache)
    (shard,) = shards(cache)
    shard.rename(shard.with_name("writing-x.part"))
    assert extracted(dataset, cache) == 4


def test_progress_counts_every_image_and_begins_with_what_is_kept(tmp_path, cache):
    dataset = pictures(tmp_path, 10)
    extracted(some(dataset, 3), cache)
    shown: list[tuple[str, int, int]] = []
    FeatureStore(PlainBackbone(), cache).complete(dataset, lambda *told: shown.append(told))
    assert shown == [("features", 7, 10), ("features", 10, 10)]


# What cannot be read


def test_a_broken_image_is_left_out_with_one_line(tmp_path, cache):
    dataset = replace(pictures(tmp_path, 8), problems=("told before",))
    broken = dataset.images[2].path
    broken.write_bytes(broken.read_bytes()[:60])
    for _ in range(2):
        store = FeatureStore(PlainBackbone(), cache)
        complete = store.complete(dataset, silent)
        assert complete.images == tuple(image for image in dataset.images if image.path != broken)
        assert complete.problems == (
            "told before",
            "a/2.png: left out. The 60 bytes are not a complete PNG or JPEG image.",
        )
        assert sum(len(side) for side in store.features(complete).values()) == 7


def test_a_file_that_vanished_after_it_was_listed_is_left_out_with_one_line(tmp_path, cache):
    dataset = pictures(tmp_path, 5)
    dataset.images[4].path.unlink()
    complete = FeatureStore(PlainBackbone(), cache).complete(dataset, silent)
    assert complete.images == dataset.images[:4]
    assert complete.problems == ("a/4.png: left out. No such file or directory.",)


@pytest.mark.parametrize("name", ["IM0", "IM0.dcm"])
def test_a_dicom_file_that_cannot_be_read_is_called_by_its_content_and_not_by_its_folder(
    tmp_path: Path, cache: Path, name: str
) -> None:
    path = tmp_path / "Mustermann^Erika" / name
    path.parent.mkdir()
    path.write_bytes(b"no DICOM")
    dataset = Dataset("dicom", (LabelledImage(path, "a", "g0", "train"),), ("a",))
    (line,) = FeatureStore(PlainBackbone(), cache).complete(dataset, silent).problems
    assert hashlib.sha256(b"no DICOM").hexdigest()[:16] in line
    path.unlink()
    (vanished,) = FeatureStore(PlainBackbone(), cache).complete(dataset, silent).problems
    assert vanished == "a file: left out. No such file or directory."
    assert "Erika" not in line + vanished


def test_a_data_set_of_broken_images_alone_has_none_left(tmp_path, cache):
    dataset = pictures(tmp_path, 3)
    for number, image in enumerate(dataset.images):
        image.path.write_bytes(b"%d" % number)
    complete = FeatureStore(PlainBackbone(), cache).complete(dataset, silent)
    assert complete.images == ()
    assert len(complete.problems) == 3


# What stands for a data set


def test_the_digest_follows_contents_labels_groups_sides_and_order(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    store = FeatureStore(PlainBackbone(), cache)
    first, *others = dataset.images
    changes = ({"label": "b"}, {"group": "g2"}, {"split": "test"}, {"path": others[0].path})
    changed = [replace(dataset, images=(replace(first, **change), *others)) for change in changes]
    turned = replace(dataset, images=dataset.images[::-1])
    assert len({store.digest(each) for each in (dataset, *changed, turned, some(dataset, 3))}) == 7


def test_the_digest_does_not_follow_names_of_files(tmp_path, cache):
    dataset = pictures(tmp_path, 4)
    moved = tmp_path / "moved.png"
    before = FeatureStore(PlainBackbone(), cache).digest(dataset)
    dataset.images[0].path.rename(moved)
    after = replace(dataset, images=(replace(dataset.images[0], path=moved), *dataset.images[1:]))
    assert FeatureStore(PlainBackbone(), cache).digest(after) == before


def test_shards_know_files_by_their_sha256(tmp_path, cache):
    dataset = pictures(tmp_path, 3)
    extracted(dataset, cache)
    (shard,) = shards(cache)
    with np.load(shard) as arrays:
        expected = [hashlib.sha256(image.path.read_bytes()).hexdigest() for image in dataset.images]
        assert arrays["digests"].tolist() == expected


# Pixels


def picture_of(values: np.ndarray) -> Frame:
    """Return a picture without pixel spacing."""
    return Frame(replace(frame_info(*values.shape), spacing=None, modality="OT"), values, Units.PRESENTATION)


def quarters(rows: int, columns: int, values: tuple[float, float, float, float], units: Units) -> Frame:
    """Return a frame of four areas of one value each: above, then below, each from left to right."""
    half, middle = rows // 2, columns // 2
    frame = np.empty((rows, columns), np.float32)
    frame[:half, :middle], frame[:half, middle:] = values[:2]
    frame[half:, :middle], frame[half:, middle:] = values[2:]
    return Frame(frame_info(rows, columns), frame, units)


@pytest.mark.parametrize(("rows", "columns"), [(224, 224), (40, 120), (600, 90)])
def test_a_frame_of_any_proportions_fills_the_square(rows, columns):
    values = (0.1, 0.4, 0.7, 1.0)
    image = square(quarters(rows, columns, values, Units.PRESENTATION))
    assert (image.shape, image.dtype) == ((3, SIDE, SIDE), np.float32)
    middle = SIDE // 2
    # The border between two quarters lies in the middle and is blurred by one source pixel.
    blur = max(SIDE // columns, SIDE // rows, 1) + 2
    for channel in image:
        corners = (channel[0, 0], channel[0, -1], channel[-1, 0], channel[-1, -1])
        assert corners == pytest.approx(values, abs=1e-5)
        assert channel[0, middle - blur] == pytest.approx(0.1, abs=1e-5)
        assert channel[0, middle + blur] == pytest.approx(0.4, abs=1e-5)
        assert channel[middle + blur, 0] == pytest.approx(0.7, abs=1e-5)


def test_hounsfield_units_are_shown_in_the_three_display_windows():
    values = (-600.0, 40.0, 400.0, 3000.0)
    image = square(quarters(64, 64, values, Units.HU))
    for channel, (centre, width) in zip(image, HU_DISPLAY_WINDOWS, strict=True):
        # PS3.3 C.11.2.1.2.1, one value at a time.
        expected = [min(max((hu - (centre - 0.5)) / (width - 1) + 0.5, 0.0), 1.0) for hu in values]
        corners = [channel[0, 0], channel[0, -1], channel[-1, 0], channel[-1, -1]]
        assert corners == pytest.approx(expected, abs=1e-5)


def test_a_thumbnail_is_the_mean_channel_under_a_triangle_as_wide_as_two_of_its_pixels():
    image = np.random.default_rng(0).random((3, SIDE, SIDE), dtype=np.float32)
    pixel = SIDE / THUMBNAIL_SIDE
    weights = np.zeros((THUMBNAIL_SIDE, SIDE))
    for small in range(THUMBNAIL_SIDE):
        for large in range(SIDE):
            weights[small, large] = max(0.0, 1 - abs(large + 0.5 - (small + 0.5) * pixel) / pixel)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = weights @ image.astype(np.float64).mean(axis=0) @ weights.T
    found = thumbnail(image)
    assert (found.shape, found.dtype) == ((THUMBNAIL_SIDE**2,), np.float32)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-5)


# The backbone


@pytest.mark.slow
def test_the_untrained_backbone_is_always_the_same_and_has_the_shapes_that_peers_expect():
    threads = torch.get_num_threads()
    try:
        one, other = untrained_lite0(), untrained_lite0()
        images = np.random.default_rng(0).random((2, 3, SIDE, SIDE), dtype=np.float32)
        pooled = one.describe(images)
        looks = one.looks(single_volume("image", picture_of(images[0, 0]), -1), 2, 5)
    finally:
        torch.set_num_threads(threads)
    assert one.fingerprint == other.fingerprint
    assert (pooled.shape, pooled.dtype) == ((2, HEAD_CHANNELS), np.float32)
    assert (looks.shape, looks.dtype) == ((2, CHANNELS, 3, 3), np.float16)
    assert np.isfinite(pooled).all()
    assert np.isfinite(looks).all()


@pytest.mark.slow
def test_the_first_look_is_what_the_product_encodes_and_the_others_vary_with_the_seed():
    threads = torch.get_num_threads()
    try:
        backbone = untrained_lite0()
        frame = picture_of(np.random.default_rng(1).random((60, 80), dtype=np.float32))
        image = single_volume("image", frame, -1)
        one, again, other = (backbone.looks(image, 2, seed) for seed in (5, 5, 6))
        grid = make_grid(60, 80, None, GridConfig())
        laid = replace(frame, values=resample(frame.values, grid))
        with torch.no_grad():
            maps = backbone._network(torch.from_numpy(channels(laid, grid))[None])
    finally:
        torch.set_num_threads(threads)
    served = torch.nn.functional.adaptive_avg_pool2d(maps, 3)[0].numpy()
    assert one[0].astype(np.float32) == pytest.approx(served, abs=0.02)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])
    assert not np.array_equal(one[0], one[1])
