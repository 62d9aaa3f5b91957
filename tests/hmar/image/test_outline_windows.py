"""The windows of an outline: which nine of a lattice show most of it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.image.grid import GridConfig, make_grid
from hmar.image.windows import (
    WindowConfig,
    outline_windows,
    query_windows,
    region_windows,
)
from hmar.values.geometry import Box, Spacing
from hmar.values.outline import Outline

GRID, WINDOWS = GridConfig(), WindowConfig()
LAYOUT = make_grid(512, 400, Spacing(0.8, 0.7), GRID)
COORDINATE = st.integers(20, 380).map(float)


def ellipse(box: Box, points: int = 48) -> Outline:
    x, y = box.centre
    angles = [2 * math.pi * number / points for number in range(points)]
    return Outline(tuple((x + box.width / 2 * math.cos(a), y + box.height / 2 * math.sin(a)) for a in angles))


def shown(outline: Outline, corner: tuple[float, float], side: float, samples: int = 24) -> int:
    """Count the points of one window that an outline encloses; all in cells."""
    steps = side * (np.arange(samples) + 0.5) / samples
    return int(outline.encloses(corner[1] + steps, corner[0] + steps).sum())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=8, unique=True))
def test_no_window_of_the_lattice_that_was_left_out_shows_more_than_one_that_was_taken(points):
    outline = Outline(tuple(points))
    windows = outline_windows(outline, LAYOUT, GRID.stride, WINDOWS)
    cells = outline.scaled(LAYOUT.scale_column / GRID.stride, LAYOUT.scale_row / GRID.stride)
    taken = {tuple(np.round(corner, 9)) for corner in windows.corners}
    assert len(taken) == 9
    least = min(shown(cells, corner, windows.side) for corner in windows.corners)
    step, (row, column) = windows.side / 3, windows.corners[0]
    for down in range(-3, 4):
        for across in range(-3, 4):
            corner = (row + down * step, column + across * step)
            if tuple(np.round(corner, 9)) not in taken:
                # Points on an edge fall to either side by rounding.
                assert shown(cells, corner, windows.side) <= least + 24


@pytest.mark.parametrize("box", [Box(100, 120, 30, 28), Box(150, 200, 60, 60), Box(60, 80, 130, 120)])
def test_an_ellipse_about_as_large_as_a_window_has_the_windows_of_its_box(box):
    one = outline_windows(ellipse(box), LAYOUT, GRID.stride, WINDOWS)
    other = query_windows(box, LAYOUT, GRID.stride, WINDOWS)
    assert one.side == pytest.approx(other.side)
    assert one.corners[0] == pytest.approx(other.corners[0])
    by_place = [corners[np.lexsort(corners.round(6).T)] for corners in (one.corners, other.corners)]
    assert by_place[0] == pytest.approx(by_place[1])


def test_windows_follow_an_outline_that_is_long_and_slanting():
    slanting = Outline(((40.0, 40.0), (70.0, 40.0), (360.0, 400.0), (330.0, 400.0)))
    windows = outline_windows(slanting, LAYOUT, GRID.stride, WINDOWS)
    rows, columns = windows.corners.T
    assert np.corrcoef(rows, columns)[0, 1] > 0.5


def test_windows_lie_in_a_hook_and_not_in_its_hollow():
    hook = Outline(
        ((50.0, 50.0), (350.0, 50.0), (350.0, 110.0), (110.0, 110.0), (110.0, 450.0), (50.0, 450.0))
    )
    windows = outline_windows(hook, LAYOUT, GRID.stride, WINDOWS)
    cells = hook.scaled(LAYOUT.scale_column / GRID.stride, LAYOUT.scale_row / GRID.stride)
    boxed = query_windows(hook.box, LAYOUT, GRID.stride, WINDOWS)
    assert shown(cells, windows.corners[0], windows.side) > 2 * shown(cells, boxed.corners[0], boxed.side)


def test_a_box_has_the_windows_that_it_had():
    box = Box(100, 120, 30, 28)
    windows = region_windows(box, LAYOUT, GRID.stride, WINDOWS)
    assert windows.chosen is None
    expected = query_windows(box, LAYOUT, GRID.stride, WINDOWS)
    assert windows.corners == pytest.approx(expected.corners)
