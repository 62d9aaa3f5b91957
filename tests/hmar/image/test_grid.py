import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.image.grid import GridConfig, channels, content, display, make_grid, resample
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box, Spacing
from tests.frames import frame_info

CONFIG = GridConfig()
SIDES = st.integers(16, 3000)
SPACINGS = st.none() | st.floats(0.05, 5.0).map(lambda size: Spacing(size, size * 1.1))


@given(SIDES, SIDES, SPACINGS)
def test_a_grid_holds_whole_cells_and_respects_its_limits(rows, columns, spacing):
    grid = make_grid(rows, columns, spacing, CONFIG)
    assert grid.rows % CONFIG.stride == 0
    assert grid.columns % CONFIG.stride == 0
    assert min(grid.rows, grid.columns) >= CONFIG.min_cells * CONFIG.stride
    assert max(grid.filled_rows, grid.filled_columns) <= CONFIG.max_side
    assert 0 <= grid.rows - grid.filled_rows < CONFIG.min_cells * CONFIG.stride


@given(SIDES, SIDES, SPACINGS, st.floats(0, 1), st.floats(0, 1))
def test_coordinates_go_to_the_grid_and_back(rows, columns, spacing, u, v):
    grid = make_grid(rows, columns, spacing, CONFIG)
    box = Box(u * columns, v * rows, 10, 20)
    assert grid.to_source(grid.to_grid(box)) == pytest.approx(box)


def test_the_edges_of_the_frame_are_the_edges_of_the_filled_grid():
    grid = make_grid(512, 400, Spacing(0.7, 0.9), CONFIG)
    on_grid = grid.to_grid(Box(0, 0, 400, 512))
    assert on_grid == pytest.approx((0, 0, grid.filled_columns, grid.filled_rows))


@given(SIDES, SIDES, st.floats(0.1, 10))
def test_pixels_of_unknown_size_keep_their_aspect_on_the_grid(rows, columns, aspect):
    grid = make_grid(rows, columns, None, CONFIG, aspect)
    longest = max(rows * aspect, columns)
    assert grid.filled_rows == max(1, round(rows * aspect / longest * CONFIG.unknown_side))
    assert grid.filled_columns == max(1, round(columns / longest * CONFIG.unknown_side))


def test_an_aspect_without_spacing_lays_a_frame_like_a_spacing_of_that_aspect():
    # Both are enlarged to the side of unknown frames, the second because it is too small for its pitch.
    assert make_grid(64, 40, None, CONFIG, 2.0) == make_grid(64, 40, Spacing(0.2, 0.1), CONFIG)
    assert make_grid(64, 40, None, CONFIG) == make_grid(64, 40, None, CONFIG, 1.0)


def test_a_known_spacing_gives_the_grid_its_pitch():
    grid = make_grid(250, 250, Spacing(1.0, 2.0), CONFIG)
    assert (grid.filled_rows, grid.filled_columns) == (250, 500)
    grid = make_grid(200, 100, Spacing(2.0, 1.0), CONFIG)
    assert (grid.scale_row, grid.scale_column) == (2.0, 1.0)


@pytest.mark.parametrize("spacing", [None, Spacing(0.001, 0.001)])
def test_an_unknown_or_microscopic_spacing_gives_the_longer_side_a_fixed_length(spacing):
    grid = make_grid(300, 600, spacing, CONFIG)
    assert (grid.filled_rows, grid.filled_columns) == (CONFIG.unknown_side // 2, CONFIG.unknown_side)


def test_resampling_puts_a_step_where_its_coordinate_says():
    values = np.zeros((100, 100), np.float32)
    values[:, 60:] = 1
    grid = make_grid(100, 100, Spacing(1.5, 1.5), CONFIG)
    row = resample(values, grid)[100]
    crossing = np.interp(0.5, row, np.arange(len(row)) + 0.5)
    assert crossing == pytest.approx(60 * grid.scale_column, abs=0.05)


def test_resampling_keeps_the_mean_where_the_grid_is_coarser():
    values = np.random.default_rng(0).random((400, 400)).astype(np.float32)
    grid = make_grid(400, 400, Spacing(0.25, 0.25), CONFIG)
    assert resample(values, grid).mean() == pytest.approx(values.mean(), abs=0.01)


@given(st.floats(-2000, 3000), st.floats(-1000, 1000), st.floats(2, 4000))
def test_display_follows_the_standards_formula(value, centre, width):
    # PS3.3 C.11.2.1.2.1 with an output range of 0 to 1
    if value <= centre - 0.5 - (width - 1) / 2:
        expected = 0.0
    elif value > centre - 0.5 + (width - 1) / 2:
        expected = 1.0
    else:
        expected = (value - (centre - 0.5)) / (width - 1) + 0.5
    shown = display(np.array([value], np.float32), centre, width)[0]
    assert shown == pytest.approx(expected, abs=2e-3)


def test_hounsfield_units_fill_three_display_windows_and_padding_stays_black():
    frame = Frame(frame_info(100, 100, Spacing(1.0, 1.0)), np.full((100, 100), 40, np.float32), Units.HU)
    grid = make_grid(100, 100, Spacing(1.0, 1.0), CONFIG)
    stack = channels(frame, grid)
    assert stack.shape == (3, 112, 112)
    assert stack[:, 50, 50] == pytest.approx([0.5, 0.927, 0.3], abs=0.002)
    assert not stack[:, 100:].any()
    assert not stack[:, :, 100:].any()


def test_presentation_values_fill_all_channels_alike():
    values = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    frame = Frame(frame_info(64, 64, None), values, Units.PRESENTATION)
    stack = channels(frame, make_grid(64, 64, None, CONFIG))
    assert np.array_equal(stack[0], stack[1])
    assert np.array_equal(stack[0], stack[2])


@pytest.mark.parametrize(("units", "empty", "shown"), [(Units.HU, -1000, 0), (Units.PRESENTATION, 0, 1)])
def test_air_and_black_are_no_content(units, empty, shown):
    values = np.full((96, 96), empty, np.float32)
    values[:48] = shown
    frame = Frame(frame_info(96, 96, Spacing(1.0, 1.0)), values, units)
    mask = content(frame, make_grid(96, 96, Spacing(1.0, 1.0), CONFIG))
    assert mask[:48].all()
    assert not mask[48:].any()
