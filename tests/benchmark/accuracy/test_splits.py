from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.accuracy.splits import compat_split, deduce_groups, group_split, hold_out_classes
from benchmark.datasets import read_image
from benchmark.datasets.duplicates import difference_hash
from benchmark.types import Dataset, LabelledImage
from hmar.errors import ParameterError
from tests.benchmark.datasets.trees import picture

SIDES = ("train", "val", "test")


def images(groups, labels):
    return [
        LabelledImage(Path(f"/d/{row:04}.png"), label, f"g{group}", "train")
        for row, (group, label) in enumerate(zip(groups, labels, strict=True))
    ]


def dataset(labels, sides=SIDES):
    found = [
        replace(image, split=sides[row % len(sides)])
        for row, image in enumerate(images(range(len(labels)), labels))
    ]
    return Dataset("d", tuple(found), tuple(sorted(set(labels))), ("a line",))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abc")), min_size=1, max_size=60),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_a_drawn_split_divides_no_group_loses_nothing_and_ignores_the_order(rows, seed, random):
    given_images = images([group for group, _ in rows], [label for _, label in rows])
    drawn = group_split(given_images, seed)
    assert len({image.group for image in drawn}) == len({(image.group, image.split) for image in drawn})
    assert [replace(image, split="train") for image in drawn] == given_images
    random.shuffle(given_images)
    renamed = [replace(image, group=f"another name of {image.group}") for image in given_images]
    assert [image.split for image in group_split(renamed, seed)] == [image.split for image in drawn]


@pytest.mark.parametrize("sizes", [(100,) * 3, (200, 100, 50)])
def test_a_drawn_split_keeps_the_shares_in_every_class(sizes):
    labels = [label for label, size in zip("abc", sizes, strict=True) for _ in range(size)]
    drawn = group_split(images(range(len(labels)), labels))
    for label, size in zip("abc", sizes, strict=True):
        count = Counter(image.split for image in drawn if image.label == label)
        assert count == {"train": 0.7 * size, "val": 0.1 * size, "test": 0.2 * size}


def test_of_few_groups_the_first_trains_the_second_asks_and_the_third_validates():
    for number, expected in ((1, {"train"}), (2, {"train", "test"}), (3, set(SIDES))):
        drawn = group_split(images(range(number), "a" * number))
        assert {image.split for image in drawn} == expected


def test_another_seed_draws_another_split():
    some = images(range(60), "ab" * 30)
    assert group_split(some, 0) == group_split(some, 0) != group_split(some, 1)


def test_the_compat_split_is_70_20_10_per_image_whatever_the_groups():
    given_dataset = dataset("ab" * 50)
    one_patient = replace(
        given_dataset, images=tuple(replace(image, group="one") for image in given_dataset.images)
    )
    drawn = compat_split(one_patient, 0)
    assert Counter(image.split for image in drawn.images) == {"train": 70, "val": 20, "test": 10}
    assert [image.path for image in drawn.images] == [image.path for image in given_dataset.images]
    assert compat_split(one_patient, 0) == drawn != compat_split(one_patient, 1)
    backwards = replace(one_patient, images=one_patient.images[::-1])
    assert set(compat_split(backwards, 0).images) == set(drawn.images)


def test_held_out_classes_are_in_one_part_and_the_others_in_the_other():
    whole = dataset("abcde" * 6)
    seen, unseen = hold_out_classes(whole, ["d", "b"])
    assert (seen.classes, unseen.classes) == (("a", "c", "e"), ("b", "d"))
    assert {image.label for image in seen.images} == {"a", "c", "e"}
    assert {image.label for image in unseen.images} == {"b", "d"}
    assert set(seen.images) | set(unseen.images) == set(whole.images)
    assert len(seen.images) + len(unseen.images) == len(whole.images)


@pytest.mark.parametrize("held", [["x", "a"], ["a"], ["a", "a"], [], ["a", "b", "c"], ["a", "b", "c", "d"]])
def test_classes_that_cannot_be_held_out_are_refused(held):
    with pytest.raises(ParameterError):
        hold_out_classes(dataset("abcd" * 3), held)


def shade(path: Path, seed: int, offset: int) -> None:
    """Write a picture, moved by some pixels: near moves are near-duplicates."""
    big = np.random.default_rng(seed).integers(0, 256, (9, 9), dtype=np.uint8)
    full = Image.fromarray(big).resize((180, 180), Image.Resampling.BICUBIC)
    full.crop((offset, 0, offset + 128, 128)).save(path)


def test_groups_are_chains_of_near_duplicates(tmp_path):
    names = [(seed, offset) for seed in range(3) for offset in range(0, 12, 2)]
    listed = []
    for seed, offset in names:
        path = tmp_path / f"{seed} {offset:02}.png"
        shade(path, seed, offset)
        listed.append(LabelledImage(path, "a", "unknown", "train"))
    hashes = [int.from_bytes(difference_hash(read_image(image.path)).tobytes()) for image in listed]
    near = {
        pair
        for pair in combinations(range(len(names)), 2)
        if (hashes[pair[0]] ^ hashes[pair[1]]).bit_count() <= 12
    }
    assert 0 < len(near) < 3 * 15
    chains = [{row} for row in range(len(names))]
    for a, b in near:
        joined = chains[a] | chains[b]
        for row in joined:
            chains[row] = joined
    grouped = deduce_groups(listed)
    assert [image.group for image in grouped] == [f"chain {min(chain)}" for chain in chains]
    assert [image.path for image in grouped] == [image.path for image in listed]


def test_an_unreadable_image_is_a_group_of_its_own(tmp_path):
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png", 1)
    (tmp_path / "broken.png").write_bytes(b"x")
    listed = [LabelledImage(tmp_path / f"{n}.png", "x", "", "train") for n in ("broken", "a", "b", "absent")]
    assert [image.group for image in deduce_groups(listed)] == ["chain 0", "chain 1", "chain 1", "chain 3"]
    assert deduce_groups([]) == ()
