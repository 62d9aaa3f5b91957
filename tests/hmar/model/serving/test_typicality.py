import numpy as np
import pytest

from hmar.image.grid import GridConfig, make_grid
from hmar.image.windows import QueryWindows, WindowConfig, kept_windows
from hmar.model.serving.typicality import Reference, frame_summary, region_summary, window_summaries
from hmar.values.window_ids import unpack_window_ids

WINDOWS = WindowConfig()


def reference(margin: float = 1.0) -> Reference:
    whitening = np.diag([1.0, 0.5]).astype(np.float32)
    return Reference(np.zeros(2, np.float32), whitening, np.array([1, 2, 2, 4], np.float32), margin)


def at(x: float, y: float) -> np.ndarray:
    return np.array([x, y], np.float32)


def test_typicality_is_the_share_of_held_out_frames_that_lie_as_far():
    found = [reference().typicality(at(*point)) for point in ((0, 0), (1.5, 0), (0, 4), (2.5, 0), (0, 9))]
    assert found == [1, 0.75, 0.75, 0.25, 0]


def test_a_margin_moves_held_out_frames_farther_out():
    found = [reference(1.5).typicality(at(x, 0)) for x in (1.4, 1.6, 2.9, 3.1, 5.9, 6.1)]
    assert found == [1, 0.75, 0.75, 0.25, 0.25, 0]


def test_distance_is_the_length_of_the_whitened_difference_of_the_mean():
    whitening = np.diag([1.0, 0.5]).astype(np.float32)
    one = Reference(np.ones(2, np.float32), whitening, np.ones(1, np.float32))
    assert one.distance(at(4, 9)) == 5


def backbone_map(rows: int, columns: int, channels: int = 4) -> np.ndarray:
    return np.random.default_rng(0).random((rows, columns, channels)).astype(np.float32)


def test_a_frame_is_summarised_as_a_whole_and_where_it_shows_something():
    cells, shown = backbone_map(5, 6), np.zeros((5, 6), np.float32)
    shown[1, 2], shown[4, 0] = 1, 0.5
    summary = frame_summary(cells, shown)
    assert summary[:4] == pytest.approx(cells.mean(axis=(0, 1)), abs=1e-6)
    assert summary[4:] == pytest.approx((2 * cells[1, 2] + cells[4, 0]) / 3, abs=1e-6)


def test_all_of_a_frame_counts_where_it_shows_nothing():
    summary = frame_summary(backbone_map(5, 6), np.zeros((5, 6), np.float32))
    assert np.array_equal(summary[:4], summary[4:])


def test_a_region_is_summarised_by_the_middle_window_alone_and_by_parts_of_cells():
    cells = backbone_map(6, 6)
    windows = QueryWindows(np.array([1.0, 0, 2]), np.array([2.5, 1, 4]), 3)
    columns = np.array([0, 0, 0.5, 1, 1, 0.5]) / 3  # from 2.5 to 5.5
    expected = np.einsum("j,ijc->c", columns, cells[1:4]) / 3
    assert region_summary(cells, windows) == pytest.approx(expected, abs=1e-6)


def test_what_of_a_region_lies_outside_the_map_does_not_count():
    cells = backbone_map(6, 6)
    windows = QueryWindows(np.array([-1.0]), np.array([4.0]), 3)
    assert region_summary(cells, windows) == pytest.approx(cells[:2, 4:].mean(axis=(0, 1)), abs=1e-6)


def test_windows_are_summarised_as_a_region_of_their_place_is():
    grid = make_grid(160, 192, None, GridConfig(unknown_side=192))
    ids = kept_windows(np.ones((grid.rows, grid.columns), np.float32), 16, WINDOWS)
    cells = backbone_map(grid.rows // 16, grid.columns // 16)
    found = window_summaries(cells, ids, WINDOWS)
    sizes, rows, columns = unpack_window_ids(ids)
    for i in range(0, len(ids), 7):
        place = QueryWindows(rows[i : i + 1], columns[i : i + 1], WINDOWS.cells[sizes[i]])
        assert found[i] == pytest.approx(region_summary(cells, place), abs=1e-5)
