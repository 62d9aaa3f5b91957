import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.config import PARTS
from hmar.training.pairs import PairConfig, PairSampler, may_push_apart
from hmar.training.views import CANVAS_CELLS, make_views
from hmar.training.volumes import Volume, constant_regions

PITCH_MM, CELL_MM = 0.75, 12.0


class CellMeans(torch.nn.Module):
    """Stands where the trunk stands: its first two channels are the mean of the image in each cell."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        means = torch.nn.functional.avg_pool2d(x.float(), 16)
        return torch.nn.functional.pad(means, (0, 0, 0, 0, 0, 109))


def volume_with_a_ramp(slices: int = 8) -> Volume:
    """A block of tissue whose HU tells the column: 0 to 300 HU over 300 mm."""
    x = np.linspace(0, 300, 200)
    values = np.broadcast_to(x, (slices, 180, 200)).astype(np.int16)
    return Volume("ramp", values, (2.5, 1.5, 1.5), "CT", constant_regions(slices, "CHEST"))


@pytest.fixture(scope="module")
def views():
    volume = volume_with_a_ramp()
    made = make_views([volume], CellMeans(), 4, PITCH_MM, np.random.default_rng(0), lambda done, total: None)
    return volume, made


def test_views_know_where_each_cell_lies(views):
    _, made = views
    for view in range(0, len(made.plane), 3):
        affine = made.to_cell[view]
        x, y = 150.0, 135.0  # mm, in the middle
        column, row = affine[:, :2] @ (x, y) + affine[:, 2]
        shown = float(made.maps[view, 0, int(row), int(column)])
        # The soft tissue window shows (HU + 160.5) / 399, and HU is x in mm at the cell's centre.
        centre = np.linalg.solve(affine[:, :2], np.array([int(column) + 0.5, int(row) + 0.5]) - affine[:, 2])
        assert shown == pytest.approx((centre[0] + 160.5) / 399, abs=0.06)
    assert made.z_mm[-1] == pytest.approx(7 * 2.5)


def test_the_two_windows_of_a_pair_show_the_same_place(views):
    volume, made = views
    config = PairConfig(views=6, windows=10, reach_mm=6.0)
    batch = PairSampler(made, [volume], config, np.random.default_rng(1)).draw()
    assert np.all(np.abs(made.z_mm[batch.first] - made.z_mm[batch.second]) <= 6.0)
    centres = []
    for views_of, weights in ((batch.first, batch.first_weights), (batch.second, batch.second_weights)):
        rows, columns = weights.reshape(2, 6, 10, PARTS, CANVAS_CELLS).mean(dim=3).numpy()
        cell = np.arange(CANVAS_CELLS) + 0.5
        centre = np.stack([columns @ cell, rows @ cell], axis=-1)  # (M, n, 2)
        places = [
            np.linalg.solve(made.to_cell[view][:, :2], (points - made.to_cell[view][:, 2]).T).T
            for view, points in zip(views_of, centre, strict=True)
        ]
        centres.append(np.concatenate(places))
    inside = np.all((batch.place[:, 1:3] > 60) & (batch.place[:, 1:3] < 210), axis=1)  # no window is cut off
    assert inside.sum() > 5
    apart = np.linalg.norm(centres[0] - centres[1], axis=1)[inside]
    assert apart.max() <= np.sqrt(2) * CELL_MM / 2 * 1.25
    assert np.linalg.norm(centres[0][inside] - batch.place[inside, 1:3], axis=1).max() < 0.01
    assert set(np.unique(batch.side_mm)) <= {36.0, 60.0, 96.0}


def test_only_places_that_are_far_apart_or_of_two_volumes_may_be_pushed_apart():
    place = np.array([[0, 0, 0, 0], [0, 10, 0, 0], [0, 30, 0, 0], [1, 0, 0, 0]], float)
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    assert may_push_apart(place, 20.0).int().tolist() == expected
