import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from hmar.training.carrying.bands import bands_of
from hmar.training.carrying.register import Fit, fit_affine, misfit, register
from hmar.training.carrying.start import find_starts
from hmar.training.carrying.transfer import transfer
from hmar.training.carrying.transform import Transform, control_points
from tests.hmar.training.carrying.bodies import (
    KIDNEY,
    LIVER,
    LUNG_LEFT,
    LUNG_RIGHT,
    SPACING,
    SPLEEN,
    STERNUM,
    atlas,
    dice,
    patient,
    volume,
)

ORGANS = (LIVER, KIDNEY, SPLEEN, LUNG_LEFT, LUNG_RIGHT, STERNUM)


@pytest.mark.slow
def test_a_bent_body_is_found_again_better_than_any_affine_map_does():
    body, (person, right) = atlas(), patient()
    found = register(person, body)
    own, other = bands_of(person, 8.0), bands_of(body, 8.0)
    affine = fit_affine(own, other, find_starts(own, other, 1)[0], 60, Fit())
    bent, straight = (
        [dice(transfer(body.labels, SPACING, person, map_), right, organ) for organ in ORGANS]
        for map_ in (found.transform, affine)
    )
    assert np.mean(bent) > 0.87
    assert min(bent) > 0.75
    assert np.mean(straight) < 0.8


@pytest.mark.slow
def test_a_scan_of_a_part_is_laid_on_its_own_part():
    body = atlas()
    part = volume(body.values[24:40])
    own, other = bands_of(part, 8.0), bands_of(body, 8.0)
    shift = float(find_starts(own, other, 1)[0].on_grid(*(torch.zeros(1),) * 3)[0, 0, 0, 0])
    assert abs(shift - 24 * SPACING[0]) < 16


def test_starts_lie_apart_and_there_are_none_without_a_body():
    body = bands_of(atlas(), 12.0)
    middle = body.size_mm / 2
    heights = [
        float(start.linear[0, 0] * middle[0] + start.offset[0]) for start in find_starts(body, body, 3)
    ]
    assert len(heights) == 3
    assert min(abs(a - b) for a, b in zip(heights, heights[1:] + heights[:1], strict=True)) >= 24
    air = bands_of(volume(np.full((12, 40, 40), -1000, np.int16)), 12.0)
    assert find_starts(air, body, 3) == []
    assert find_starts(body, air, 3) == []


def test_the_misfit_of_a_body_with_itself_is_near_0_and_grows_with_a_shift():
    body = bands_of(atlas(), 8.0)
    found = [
        float(misfit(body, body, Transform(torch.eye(3), torch.tensor([0.0, 0.0, shift])), Fit()))
        for shift in (0.0, 10.0, 30.0)
    ]
    assert found[0] < 0.5  # boxes without any contrast, as within muscle, correlate with nothing
    assert found == sorted(found)


def test_bands_tell_soft_tissue_bone_and_lung_and_leave_the_table_out():
    values = np.full((8, 80, 80), -1000, np.int16)
    values[:, 16:56, 16:64] = 50
    values[:, 24:40, 20:36] = -780
    values[:, 24:40, 44:60] = 700
    values[:, 74:75, :] = 100  # the table
    bands = bands_of(volume(values), 10.0)
    rows, columns = (bands.centres_mm(axis) for axis in (1, 2))
    assert float(rows[0]) > 50
    soft, bone, lung = bands.channels[:, 4]
    at = [int((axis - mm).abs().argmin()) for axis, mm in ((rows, 160), (columns, 140), (columns, 260))]
    assert (lung[at[0], at[1]], bone[at[0], at[1]]) == (1, 0)
    assert (lung[at[0], at[2]], bone[at[0], at[2]]) == (0, 1)
    middle = soft[int((rows - 240).abs().argmin()), int((columns - 200).abs().argmin())]
    assert float(middle) == pytest.approx(0.5)
    assert not bands.body[:, rows > 300].any()
    assert bool(bands.body[:, (rows > 100) & (rows < 260)][..., (columns > 100) & (columns < 300)].all())


def test_labels_are_those_at_the_mapped_places_and_unknown_beyond_them():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 9, (5, 6, 7)).astype(np.int16)
    target = volume(np.zeros((4, 5, 6), np.int16))
    control = control_points(torch.tensor([24.0, 25.0, 30.0]), 12.0)
    control += torch.randn(control.shape, generator=torch.Generator().manual_seed(0)) * 3
    moved = Transform(torch.eye(3) * 1.1, torch.tensor([-4.0, 1.0, 2.0]), control, 12.0)
    found = transfer(labels, (4.0, 5.0, 3.0), target, moved)
    axes = [(torch.arange(n) + 0.5) * size for n, size in zip((4, 5, 6), SPACING, strict=True)]
    points = moved.on_grid(*axes)
    for at in np.ndindex(4, 5, 6):
        place = [int(np.floor(float(points[axis][at]) / size)) for axis, size in enumerate((4.0, 5.0, 3.0))]
        inside = all(0 <= index < length for index, length in zip(place, labels.shape, strict=True))
        assert found[at] == (labels[tuple(place)] if inside else -2)
    assert (found == -2).any()
    assert (found >= 0).any()
