import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.errors import RegionError
from hmar.image.grid import GridConfig, make_grid
from hmar.image.regions import check_region
from hmar.image.windows import (
    WindowConfig,
    cover,
    kept_windows,
    lattice,
    query_side,
    query_windows,
    spread_windows,
    window_box,
)
from hmar.values.geometry import Box, Spacing
from hmar.values.window_ids import pack_window_id, unpack_window_id
from tests.frames import frame_info

GRID, WINDOWS = GridConfig(), WindowConfig()


@given(st.integers(0, 15), st.integers(0, 16383), st.integers(0, 16383))
def test_a_window_id_carries_its_geometry(size, row, column):
    assert unpack_window_id(int(pack_window_id(size, row, column))) == (size, row, column)


@given(st.integers(1, 60), st.integers(1, 10), st.integers(1, 10))
def test_a_lattice_covers_the_map_from_edge_to_edge(cells, side, stride):
    starts = lattice(cells, side, min(stride, side))
    if cells < side:
        assert len(starts) == 0
        return
    covered = {cell for start in starts for cell in range(start, start + side)}
    assert covered == set(range(cells))
    assert list(starts) == sorted(set(starts.tolist()))


@given(st.floats(-5, 25), st.floats(0.5, 9), st.integers(1, 4), st.integers(1, 20))
def test_pooling_weights_are_shares_of_area(start, side, parts, cells):
    weights = cover(np.array([start]), side, parts, cells)
    assert weights.shape == (parts, cells)
    for part, row in enumerate(weights):
        low, high = start + side * part / parts, start + side * (part + 1) / parts
        overlaps = [max(0.0, min(high, cell + 1) - max(low, cell)) for cell in range(cells)]
        expected = np.array(overlaps) / sum(overlaps) if sum(overlaps) > 1e-9 else np.zeros(cells)
        assert row == pytest.approx(expected, abs=1e-5)


def test_windows_of_air_are_dropped_and_the_others_kept_in_order():
    grid = make_grid(512, 512, Spacing(1.0, 1.0), GRID)
    mask = np.zeros((512, 512), np.float32)
    mask[:128, :128] = 1
    ids = kept_windows(mask, GRID.stride, WINDOWS)
    assert len(ids)
    assert np.all(np.diff(ids.astype(np.int64)) > 0)
    for window_id in ids.tolist():
        box = window_box(window_id, grid, 512, 512, GRID.stride, WINDOWS)
        shown = mask[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)].mean()
        assert shown >= WINDOWS.min_content - 1e-6
    assert not len(kept_windows(np.zeros_like(mask), GRID.stride, WINDOWS))


def test_a_windows_box_has_its_size_in_mm_and_ends_at_the_frame():
    spacing = Spacing(0.5, 0.5)
    grid = make_grid(700, 700, spacing, GRID)
    inside = window_box(int(pack_window_id(1, 2, 3)), grid, 700, 700, GRID.stride, WINDOWS)
    assert inside.extent_mm(spacing) == pytest.approx((48, 32, 64, 64), rel=0.01)
    last = grid.rows // GRID.stride - WINDOWS.cells[0]
    corner = window_box(int(pack_window_id(0, last, last)), grid, 700, 700, GRID.stride, WINDOWS)
    assert (corner.x + corner.width, corner.y + corner.height) == pytest.approx((700, 700))


@pytest.mark.parametrize(
    ("extent", "side", "full"),
    [
        (0.3, 2.4, 3),  # far smaller than any size: four fifths of the smallest
        (2.4, 2.4, 3),
        (2.7, 2.7, 3),  # in between: its own
        (3.0, 3.0, 3),
        (3.6, 3.0, 3),  # larger than the size nearest to it: that size
        (3.9, 4.0, 5),
        (4.4, 4.4, 5),
        (6.0, 5.0, 5),
        (6.4, 6.4, 8),
        (31.0, 8.0, 8),
    ],
)
def test_a_querys_windows_are_as_small_as_its_region_down_to_four_fifths_of_a_size(extent, side, full):
    assert query_side(extent, (3, 5, 8)) == pytest.approx(side)
    assert query_side(extent, (3, 5, 8), least_share=1.0) == full


@pytest.mark.parametrize(
    ("region", "share", "side_px"),
    [
        (Box(125, 215, 20, 20), 0.8, 25.6),  # 16 pixels a cell, sizes of 32, 64 and 96 pixels
        (Box(105, 200, 60, 50), 0.8, 60),
        (Box(100, 200, 70, 50), 0.8, 64),  # larger than its size
        (Box(105, 200, 60, 50), 1.0, 64),
    ],
)
def test_a_regions_windows_are_centred_on_it_and_lie_a_third_of_their_side_apart(region, share, side_px):
    grid = make_grid(512, 512, Spacing(1.0, 1.0), GRID)
    windows = query_windows(region, grid, GRID.stride, WINDOWS, least_share=share)
    assert windows.side * GRID.stride == pytest.approx(side_px)
    third = side_px / 3
    centres = [(starts + windows.side / 2) * GRID.stride for starts in (windows.rows, windows.columns)]
    assert centres[0] == pytest.approx([225, 225 - third, 225 + third])
    assert centres[1] == pytest.approx([135, 135 - third, 135 + third])


def test_the_windows_that_stand_for_a_frame_do_not_overlap():
    ids = kept_windows(np.ones((512, 512), np.float32), GRID.stride, WINDOWS)
    corners = [unpack_window_id(window_id)[1:] for window_id in spread_windows(ids, WINDOWS).tolist()]
    assert len(corners) == 25
    for i, (row, column) in enumerate(corners):
        assert all(max(abs(row - r), abs(column - c)) >= WINDOWS.cells[-1] for r, c in corners[:i])
    assert len(spread_windows(ids[:0], WINDOWS)) == 0


@pytest.mark.parametrize(
    "region",
    [
        Box(-1, 0, 10, 10),
        Box(0, 0, 257, 10),
        Box(250, 250, 10, 10),
        Box(0, 0, 0, 10),
        Box(0, 0, 10, 0.5),
        Box(float("nan"), 0, 10, 10),
        Box(0, 0, float("inf"), 10),
    ],
)
def test_a_region_without_area_or_outside_is_refused_by_name(region):
    with pytest.raises(RegionError) as caught:
        check_region(region, frame_info(256, 256))
    assert f"{region.width:g}" in caught.value.detail


def test_the_whole_image_is_a_region():
    check_region(Box(0, 0, 256, 256), frame_info(256, 256))
