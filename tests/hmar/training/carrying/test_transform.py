import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from hmar.training.carrying.transform import Transform, control_points, spline_weights


def bump(t: float) -> float:
    """The cubic B-spline, as in every textbook."""
    t = abs(t)
    if t < 1:
        return 2 / 3 - t**2 + t**3 / 2
    return (2 - t) ** 3 / 6 if t < 2 else 0.0


def test_weights_of_control_points_are_those_of_cubic_splines_and_sum_to_one():
    at = torch.linspace(0, 99, 34)
    found = spline_weights(at, 14, 10.0)
    wanted = [[bump(float(position) / 10 + 1 - point) for point in range(14)] for position in at]
    torch.testing.assert_close(found, torch.tensor(wanted), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.sum(1), torch.ones(34))


def test_a_grid_is_mapped_as_each_of_its_points_by_itself():
    generator = torch.Generator().manual_seed(0)
    control = control_points(torch.tensor([50.0, 60.0, 70.0]), 20.0)
    control += torch.randn(control.shape, generator=generator)
    linear, offset = torch.randn(3, 3, generator=generator), torch.randn(3, generator=generator)
    moved = Transform(linear, offset, control, 20.0)
    axes = [torch.rand(n, generator=generator) * size for n, size in ((3, 50), (4, 60), (2, 70))]
    found = moved.on_grid(*axes)
    for a, z in enumerate(axes[0]):
        for b, y in enumerate(axes[1]):
            for c, x in enumerate(axes[2]):
                wanted = linear @ torch.stack([z, y, x]) + offset
                for i in range(control.shape[1]):
                    for j in range(control.shape[2]):
                        for k in range(control.shape[3]):
                            weight = bump(z / 20 + 1 - i) * bump(y / 20 + 1 - j) * bump(x / 20 + 1 - k)
                            wanted = wanted + weight * control[:, i, j, k]
                torch.testing.assert_close(found[:, a, b, c], wanted, atol=1e-3, rtol=1e-4)


def test_control_points_that_move_alike_shift_everything_up_to_the_border():
    extent = torch.tensor([100.0, 80.0, 61.0])
    control = control_points(extent, 36.0)
    control[:] = torch.tensor([3.0, -2.0, 5.0])[:, None, None, None]
    moved = Transform(torch.eye(3), torch.zeros(3), control, 36.0)
    ends = [torch.tensor([0.0, float(size)]) for size in extent]
    still = Transform(torch.eye(3), torch.zeros(3)).on_grid(*ends)
    shift = torch.tensor([3.0, -2.0, 5.0])[:, None, None, None]
    torch.testing.assert_close(moved.on_grid(*ends), still + shift, atol=1e-4, rtol=0)
