import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from hmar.training.carrying.similarity import bending, correlation, local_correlation

RNG = np.random.default_rng(0)


def volumes(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    first = RNG.normal(0, 10, shape)  # so varied that what is added to variances does not show
    return torch.tensor(first), torch.tensor(0.6 * first + RNG.normal(0, 8, shape))


def test_correlation_of_one_channel_is_pearsons_where_there_is_weight():
    first, second = volumes(1, 4, 5, 6)
    weight = torch.tensor(RNG.random((4, 5, 6)) < 0.6, dtype=torch.float64)
    chosen = weight[None].bool()
    wanted = np.corrcoef(first[chosen].numpy(), second[chosen].numpy())[0, 1]
    assert float(correlation(first, second, weight)) == pytest.approx(wanted, abs=1e-4)


def test_correlation_weighs_channels_by_how_much_they_vary():
    first, second = volumes(2, 4, 5, 6)
    first[1], second[1] = 0.0, 0.0
    weight = torch.ones(4, 5, 6, dtype=torch.float64)
    alone = float(correlation(first[:1], second[:1], weight))
    assert float(correlation(first, second, weight)) == pytest.approx(alone, abs=1e-4)


def test_local_correlation_is_the_mean_over_boxes():
    first, second = volumes(7, 6, 8)
    weight = torch.tensor(RNG.random((7, 6, 8)) < 0.7, dtype=torch.float64)
    total = 0.0
    for z, y, x in np.argwhere(weight.numpy() > 0):
        box = tuple(slice(max(0, at - 1), at + 2) for at in (z, y, x))
        seen = weight[box].bool()
        a, b = first[box][seen].numpy(), second[box][seen].numpy()
        if len(a) > 1:
            total += np.corrcoef(a, b)[0, 1] ** 2
    found = float(local_correlation(first, second, weight, 3))
    assert found == pytest.approx(total / float(weight.sum()), abs=1e-3)


def test_an_affine_grid_of_control_points_costs_nothing_and_a_bump_does():
    control = torch.zeros(3, 5, 6, 7)
    control += torch.arange(5.0)[None, :, None, None] + 2 * torch.arange(7.0)
    assert float(bending(control)) == pytest.approx(0, abs=1e-9)
    control[0, 2, 3, 3] += 1
    assert float(bending(control)) > 0.01
