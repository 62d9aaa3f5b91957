"""Copies of queries in the gallery: exact by pixels, near by difference hash."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets.duplicates import Duplicates, Prints, difference_hash, duplicate_rate
from benchmark.datasets.read import read_image

Picture = Callable[[str, int], Path]


def rate(queries: Sequence[Path], others: Sequence[Path], **options: int) -> Duplicates:
    """Return the rate among files."""
    mine, theirs = (Prints.of([read_image(path) for path in paths]) for paths in (queries, others))
    return duplicate_rate(mine, theirs, **options)


def smooth(seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    return Image.fromarray(coarse).resize((96, 80), Image.Resampling.BICUBIC)


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    def make(name: str, seed: int) -> Path:
        path = tmp_path / name
        smooth(seed).save(path)
        return path

    return make


def test_equal_pixels_are_exact_however_they_are_compressed(tmp_path: Path, picture: Picture) -> None:
    small, large = picture("a.png", 1), tmp_path / "b.png"
    smooth(1).save(large, compress_level=0)
    assert small.read_bytes() != large.read_bytes()
    assert rate([small], [large]) == Duplicates(exact=1, near=1, queries=1)


def test_a_recompressed_and_a_rescaled_copy_are_near_and_not_exact(tmp_path: Path, picture: Picture) -> None:
    original, lossy, larger = picture("a.png", 1), tmp_path / "a.jpg", tmp_path / "a2.png"
    smooth(1).save(lossy, quality=70)
    smooth(1).resize((150, 130), Image.Resampling.BICUBIC).save(larger)
    assert rate([lossy, larger], [original]) == Duplicates(exact=0, near=2, queries=2)


def test_other_pictures_are_no_duplicates(picture: Picture) -> None:
    queries = [picture(f"q{seed}.png", seed) for seed in range(5)]
    gallery = [picture(f"g{seed}.png", seed) for seed in range(100, 110)]
    assert rate(queries, gallery) == Duplicates(exact=0, near=0, queries=5)


def test_pixels_of_another_shape_are_not_exact(tmp_path: Path) -> None:
    for name, shape in (("wide.png", (20, 40)), ("tall.png", (40, 20))):
        Image.fromarray(np.full(shape, 7, np.uint8)).save(tmp_path / name)
    found = rate([tmp_path / "wide.png"], [tmp_path / "tall.png"])
    assert (found.exact, found.near) == (0, 1)


def test_how_near_is_near_can_be_set(tmp_path: Path, picture: Picture) -> None:
    original, other = picture("a.png", 1), picture("b.png", 2)
    apart = sum(
        int(byte).bit_count()
        for byte in difference_hash(read_image(original)) ^ difference_hash(read_image(other))
    )
    assert rate([original], [other], bits_apart=apart).near == 1
    assert rate([original], [other], bits_apart=apart - 1).near == 0


def test_every_query_is_counted_however_many_there_are(picture: Picture) -> None:
    copy, other = picture("a.png", 1), picture("b.png", 2)
    found = rate([copy] * 300 + [other], [copy])
    assert found == Duplicates(exact=300, near=300, queries=301)
    assert found.exact_share == found.near_share == 300 / 301


def test_nothing_to_look_at_has_no_duplicates(picture: Picture) -> None:
    path = picture("a.png", 1)
    assert rate([], [path]) == Duplicates(0, 0, 0)
    assert rate([path], []) == Duplicates(0, 0, 1)
    assert rate([], []).near_share == 0


def test_a_bit_of_the_hash_is_a_pixel_brighter_than_its_left_neighbour(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (16, 17), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "grid.png")
    bits = np.unpackbits(difference_hash(read_image(tmp_path / "grid.png"))).reshape(16, 16)
    for row in range(16):
        for column in range(16):
            assert bits[row, column] == (grey[row, column + 1] > grey[row, column])
