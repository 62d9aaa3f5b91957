from collections import Counter

import numpy as np
import pytest
from PIL import Image

from benchmark.typicality.images import odd_images
from hmar.errors import DecodeError, NotFoundError


def test_every_kind_is_there_as_often_as_asked_for_and_each_photograph_once_more():
    images = list(odd_images(2, None, 7))
    assert Counter((image.group, image.kind) for image in images) == {
        **dict.fromkeys([("noise", kind) for kind in ("white noise", "coloured noise")], 2),
        **dict.fromkeys([("noise", kind) for kind in ("waves", "blocks", "specks")], 2),
        **dict.fromkeys([("text", "page"), ("text", "captions")], 2),
        **dict.fromkeys([("photographs", name) for name in ("china", "flower", "grace_hopper")], 3),
    }
    for image in images:
        assert image.values.dtype == np.uint8
        assert image.values.min() < image.values.max()
    # No two are equal.
    assert len({image.values.tobytes() for image in images}) == len(images)


def test_half_of_the_text_is_dark_on_white():
    text = [image for image in odd_images(4, None, 7) if image.group == "text"]
    assert [bool(np.median(image.values) > 127) for image in text] == [True, False] * 4


def test_equal_seeds_give_equal_images_and_others_do_not():
    first, again, other = (list(odd_images(1, None, seed)) for seed in (7, 7, 8))
    assert all(np.array_equal(a.values, b.values) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].values, other[0].values)


def test_photographs_of_a_folder_are_read_besides(tmp_path):
    Image.new("RGB", (300, 200), (255, 0, 0)).save(tmp_path / "red.png")
    (tmp_path / "notes.txt").write_text("no photograph")
    images = list(odd_images(1, tmp_path, 7))
    red = [image.values for image in images if image.kind == "red"]
    assert [values.shape for values in red] == [(200, 300), (512, 512)]


def test_a_folder_without_photographs_and_a_broken_one_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match="holds no photograph"):
        list(odd_images(1, tmp_path, 7))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DecodeError, match=r"broken\.jpg is no PNG and no JPEG"):
        list(odd_images(1, tmp_path, 7))
