import numpy as np
import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.model.backbones.base import Backbone
from hmar.model.config import PARTS
from hmar.training.data.pairs import PairConfig, PairSampler, may_push_apart
from hmar.training.data.render import CANVAS_CELLS
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED, StructurePlaces
from hmar.training.data.views import make_views
from hmar.training.data.volumes import Volume, constant_regions

PITCH_MM, CELL_MM = 1.0, 16.0
LUNG = 1
"""Channel of the lung window."""


class CellMeans(Backbone):
    """A backbone whose first three channels are the mean of the image in each cell."""

    def normalise(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        means = torch.nn.functional.avg_pool2d(x.float(), 16)
        return torch.nn.functional.pad(means, (0, 0, 0, 0, 0, 109))


def volume_with_a_ramp(slices: int = 8) -> Volume:
    """A block of 300 mm whose HU tells the column: -700 to -100, where contrast agent changes nothing."""
    x = np.linspace(-700, -100, 200)
    values = np.broadcast_to(x, (slices, 180, 200)).astype(np.int16)
    return Volume("ramp", values, (2.5, 1.5, 1.5), "CT", constant_regions(slices, "CHEST"))


@pytest.fixture(scope="module")
def views():
    volume = volume_with_a_ramp()
    made = make_views([volume], CellMeans(), 4, PITCH_MM, np.random.default_rng(0), lambda done, total: None)
    return volume, made


@pytest.mark.slow
def test_views_know_where_each_cell_lies(views):
    _, made = views
    row, column = np.mgrid[:CANVAS_CELLS, :CANVAS_CELLS] + 0.5
    for view in range(len(made.plane)):
        affine = made.to_cell[view]
        cells = np.stack([column.ravel(), row.ravel()]) - affine[:, 2:]
        x, y = np.linalg.solve(affine[:, :2], cells)  # mm
        inside = (x > 20) & (x < 280) & (y > 20) & (y < 250)
        shown = made.maps[view, LUNG].numpy().ravel()
        inside &= (shown > 0.02) & (shown < 0.98)
        assert inside.sum() > 100
        # Through the lung window HU, and so x, is seen in proportion, however the display is varied.
        assert np.corrcoef(shown[inside], x[inside])[0, 1] > 0.995
    assert made.z_mm[-1] == pytest.approx(7 * 2.5)


@pytest.mark.slow
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
    assert set(np.unique(batch.side_mm)) <= {32.0, 64.0, 96.0}


def test_only_places_that_are_far_apart_or_of_two_volumes_may_be_pushed_apart():
    place = np.array([[0, 0, 0, 0], [0, 10, 0, 0], [0, 30, 0, 0], [1, 0, 0, 0]], float)
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    assert may_push_apart(place, 20.0).int().tolist() == expected


def labelled_volume() -> Volume:
    """A large structure 0 on every slice and a small structure 1 on the last two; the rest is neither."""
    values = np.full((8, 90, 100), 40, np.int16)
    labels = np.full(values.shape, NO_STRUCTURE, np.int16)
    labels[:, 10:60, 10:60] = 0
    labels[6:, 70:76, 70:76] = 1
    return Volume("labelled", values, (2.5, 3.0, 3.0), "CT", constant_regions(8, "CHEST"), labels)


@pytest.mark.slow
def test_every_structure_is_drawn_as_often_as_any_other():
    volume = labelled_volume()
    rng = np.random.default_rng(0)
    made = make_views([volume], CellMeans(), 2, PITCH_MM, rng, lambda done, total: None)
    config = PairConfig(views=8, windows=40, structure_share=1.0, reach_mm=3.0)
    sampler = PairSampler(made, [volume], config, rng)
    drawn = np.concatenate([sampler.draw().first_label for _ in range(12)])
    assert (drawn == NO_STRUCTURE).sum() == 0
    # Half of the first views are drawn for the small one, which shares its slices with the large one.
    assert 0.2 < (drawn == 1).mean() < 0.5


def test_labels_are_those_at_the_centres_of_windows():
    volume = labelled_volume()
    places = StructurePlaces([volume])
    x, y = np.array([30.0, 215.0, 290.0, -5.0]), np.array([45.0, 215.0, 10.0, 30.0])
    assert places.at(0, 7, x, y).tolist() == [0, 1, NO_STRUCTURE, NO_STRUCTURE]
    assert places.at(0, 0, x, y).tolist() == [0, NO_STRUCTURE, NO_STRUCTURE, NO_STRUCTURE]
    assert StructurePlaces([volume_with_a_ramp()]).at(0, 0, x, y).tolist() == [UNLABELLED] * 4


def test_what_a_mask_leaves_open_is_unknown_beyond_its_border_too():
    volume = labelled_volume()
    volume.labels[0][volume.labels[0] == NO_STRUCTURE] = UNLABELLED
    x, y = np.array([30.0, 215.0, -5.0]), np.array([45.0, 215.0, 30.0])
    places = StructurePlaces([volume])
    assert places.at(0, 0, x, y).tolist() == [0, UNLABELLED, UNLABELLED]
    assert places.at(0, 5, x, y).tolist() == [0, NO_STRUCTURE, UNLABELLED]
    volume.labels[:] = UNLABELLED
    nothing = StructurePlaces([volume])
    assert nothing.planes_of_a_structure(0, np.random.default_rng(0)) is None
    assert nothing.draw(0, 3, 2, np.random.default_rng(0)) is None


def test_a_sampler_goes_on_where_its_state_was_taken(views):
    volume, made = views
    sampler = PairSampler(made, [volume], PairConfig(views=3, windows=4), np.random.default_rng(5))
    sampler.draw()
    state = sampler.state()
    expected = sampler.draw()
    sampler.draw()
    sampler.restore(state)
    again = sampler.draw()
    assert again.first.tolist() == expected.first.tolist()
    assert np.array_equal(again.place, expected.place)
