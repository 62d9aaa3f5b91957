"""Smaller pictures, and boxes on them."""

from __future__ import annotations

import numpy as np
import pytest

from hmar.errors import RegionError
from hmar.image.outlines import LINE, ORANGE, outlined
from hmar.image.regions import check_box
from hmar.values.geometry import Box
from tests.frames import frame_info

GREY = np.full((60, 100), 90, np.uint8)


def test_a_picture_without_size_and_boxes_is_itself() -> None:
    assert np.array_equal(outlined(GREY), GREY)


@pytest.mark.parametrize(("side", "shape"), [(50, (30, 50)), (64, (38, 64)), (512, (60, 100))])
def test_a_picture_keeps_its_ratio_and_is_never_enlarged(side: int, shape: tuple[int, int]) -> None:
    assert outlined(GREY, side=side).shape == shape


def test_a_thin_picture_keeps_a_pixel() -> None:
    assert outlined(np.zeros((1, 1000), np.uint8), side=64).shape == (1, 64)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_box_is_drawn_on_its_own_edge_and_nowhere_else(scale: int) -> None:
    box = Box(20, 10, 40, 30)
    drawn = outlined(GREY, [box], 100 // scale)
    marked = (drawn != 90).any(axis=-1)
    x, y, width, height = (int(value) // scale for value in box)
    expected = np.zeros_like(marked)
    expected[y : y + height, x : x + width] = True
    expected[y + LINE : y + height - LINE, x + LINE : x + width - LINE] = False
    assert np.array_equal(marked, expected)
    assert np.all(drawn[marked] == ORANGE)


def test_a_box_that_an_answer_rounded_past_the_edge_is_inside() -> None:
    check_box(Box(146.488889, 10, 45.511112, 20), frame_info(rows=192, columns=192), "box")
    with pytest.raises(RegionError):
        check_box(Box(146.5, 10, 45.6, 20), frame_info(rows=192, columns=192), "box")


@pytest.mark.parametrize("at", [1, 1000, 33.665753, 1999])
def test_a_box_of_less_than_a_pixel_shows(at: float) -> None:
    picture = np.zeros((2000, 2000), np.uint8)
    assert (outlined(picture, [Box(at, at, 1, 1)], 64) != 0).any()
