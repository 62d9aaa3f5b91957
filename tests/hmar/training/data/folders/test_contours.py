"""Filling polygons, against a ray cast from every pixel by itself."""

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.folders.contours import fill

ROWS, COLUMNS = 23, 31


def inside(x: float, y: float, polygons: list[np.ndarray]) -> bool:
    """Whether a ray to the left crosses an odd number of edges."""
    odd = False
    for polygon in polygons:
        for corner in range(len(polygon)):
            (x0, y0), (x1, y1) = polygon[corner], polygon[(corner + 1) % len(polygon)]
            if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                odd = not odd
    return odd


def by_pixel(polygons: list[np.ndarray]) -> np.ndarray:
    return np.array([[inside(column, row, polygons) for column in range(COLUMNS)] for row in range(ROWS)])


@pytest.mark.parametrize("seed", range(20))
def test_random_polygons_that_cross_themselves_and_the_border_are_filled_as_by_pixel(seed):
    rng = np.random.default_rng(seed)
    polygons = [rng.uniform(-6, 36, (int(rng.integers(3, 9)), 2)) for _ in range(int(rng.integers(1, 4)))]
    assert np.array_equal(fill(polygons, (ROWS, COLUMNS)), by_pixel(polygons))


@pytest.mark.parametrize("seed", range(10))
def test_corners_on_the_centres_of_pixels_are_filled_as_by_pixel(seed):
    rng = np.random.default_rng(seed)
    polygons = [rng.integers(-2, 25, (6, 2)).astype(float)]
    assert np.array_equal(fill(polygons, (ROWS, COLUMNS)), by_pixel(polygons))


def test_a_square_covers_its_pixels():
    square = np.array([[1.5, 2.5], [4.5, 2.5], [4.5, 6.5], [1.5, 6.5]])
    expected = np.zeros((ROWS, COLUMNS), bool)
    expected[3:7, 2:5] = True
    assert np.array_equal(fill([square], (ROWS, COLUMNS)), expected)


def test_a_polygon_in_another_is_a_hole_and_so_is_one_joined_by_a_channel():
    outer = np.array([[1.5, 1.5], [20.5, 1.5], [20.5, 20.5], [1.5, 20.5]])
    hole = np.array([[5.5, 5.5], [5.5, 9.5], [9.5, 9.5], [9.5, 5.5]])
    joined = np.concatenate([outer, outer[:1], hole, hole[:1]])
    expected = np.zeros((ROWS, COLUMNS), bool)
    expected[2:21, 2:21] = True
    expected[6:10, 6:10] = False
    assert np.array_equal(fill([outer, hole], (ROWS, COLUMNS)), expected)
    assert np.array_equal(fill([joined], (ROWS, COLUMNS)), expected)


def test_nothing_is_filled_by_what_encloses_nothing():
    assert not fill([], (ROWS, COLUMNS)).any()
    assert not fill([np.array([[3.0, 3.0]]), np.array([[1.0, 4.0], [9.0, 4.0]])], (ROWS, COLUMNS)).any()
