"""Outlines: what they enclose, and how they are read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.errors import RegionError
from hmar.values.geometry import Box
from hmar.values.outline import MAX_POINTS, Outline, box_around, outline_of, searched_regions_of

SQUARE = Outline(((10.0, 20.0), (30.0, 20.0), (30.0, 60.0), (10.0, 60.0)))
COORDINATE = st.floats(0, 50).map(lambda value: round(value, 2))


def crossings(outline: Outline, x: float, y: float) -> list[float]:
    """Return where a horizontal line crosses the outline, from a point on, one edge after the other."""
    found = []
    for number, (ax, ay) in enumerate(outline.points):
        bx, by = outline.points[(number + 1) % len(outline.points)]
        if min(ay, by) < y <= max(ay, by):
            found.append(ax + (y - ay) / (by - ay) * (bx - ax) - x)
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=12))
def test_a_point_is_enclosed_where_a_ray_crosses_the_line_an_odd_number_of_times(points):
    outline = Outline(tuple(points))
    places = np.arange(0.511, 50, 3.7)
    found = outline.encloses(places, places)
    for row, y in enumerate(places):
        for column, x in enumerate(places):
            ways = crossings(outline, x, y)
            # A point on the line itself falls to either side by rounding.
            if all(abs(way) > 1e-6 for way in ways):
                assert found[row, column] == sum(way < 0 for way in ways) % 2


def test_the_box_area_and_centre_are_those_of_what_is_enclosed():
    assert SQUARE.box == Box(10, 20, 20, 40)
    assert SQUARE.area == pytest.approx(800)
    assert SQUARE.centre == pytest.approx((20, 40))
    triangle = Outline(((0.0, 0.0), (60.0, 0.0), (0.0, 30.0)))
    assert triangle.area == pytest.approx(900)
    assert triangle.centre == pytest.approx((20, 10), abs=0.01)
    crossed = Outline(((0.0, 0.0), (40.0, 40.0), (40.0, 0.0), (0.0, 40.0)))
    assert crossed.area == pytest.approx(800)
    assert crossed.centre == pytest.approx((20, 20))


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_what_is_thin_has_the_area_that_it_has(shift):
    strip = Outline(((0.0, shift), (500.0, 500.0 + shift), (500.0, 503.0 + shift), (0.0, 3.0 + shift)))
    assert strip.area == pytest.approx(1500, rel=0.01)
    assert strip.centre == pytest.approx((250, 251.5 + shift))


def test_a_line_that_leaves_all_images_has_an_endless_box():
    assert Outline(((1e308, -1e308), (-1e308, 3.0), (1e308, 1e308))).box.width == float("inf")


def test_a_line_along_which_nothing_lies_encloses_nothing():
    line = Outline(((0.0, 0.0), (60.0, 30.0), (0.0, 0.0)))
    assert line.area == 0
    assert line.centre == (30, 15)


def test_a_box_is_its_own_box():
    assert box_around(Box(1, 2, 3, 4)) == Box(1, 2, 3, 4)
    assert box_around(SQUARE) == SQUARE.box


def test_points_are_read_from_lists_and_from_text():
    assert outline_of([[10, 20], [30, 20], [30, 60], [10, 60]]) == SQUARE
    assert outline_of("10,20 30,20 30,60 10,60") == SQUARE


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "1,2 3,4",
        [[1, 2], [3, 4]],
        [[1, 2, 3], [3, 4], [5, 6]],
        [[1, 2], [3, "x"], [5, 6]],
        [[1, 2], [3, float("nan")], [5, 6]],
        [[1, 2], [3, 4], "5,6"],
        [[0, 0]] * (MAX_POINTS + 1),
        {"x": 1},
    ],
)
def test_anything_else_is_no_outline(value):
    assert outline_of(value) is None


def test_a_caller_gives_boxes_and_outlines_alone_or_together():
    box = Box(1, 2, 3, 4)
    assert searched_regions_of(None) == ()
    assert searched_regions_of(SQUARE) == (SQUARE,)
    assert searched_regions_of((1, 2, 3, 4)) == (box,)
    assert searched_regions_of([box, SQUARE, (1, 2, 3, 4)]) == (box, SQUARE, box)


@pytest.mark.parametrize(
    "points", [(), ((0, 0), (1, 1)), ((0, 0), (1, 1), (2, float("inf"))), ((0, 0),) * 257]
)
def test_an_outline_that_is_none_is_refused(points):
    with pytest.raises(RegionError, match="points"):
        searched_regions_of([Box(1, 2, 3, 4), Outline(points)])
