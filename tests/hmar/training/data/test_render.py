"""The quick grid is the affine grid of torch."""

import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.data.render import affine_grid, quick_grid


@pytest.mark.parametrize("side", [4, 512])
def test_the_quick_grid_is_the_affine_grid_but_for_rounding(side):
    theta = torch.tensor([[1.3, -0.2, 0.05], [0.25, 0.9, -0.4]])
    expected, found = affine_grid(theta, side), quick_grid(theta, side)
    assert found.shape == expected.shape == (1, side, side, 2)
    assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(quick_grid(theta.flip(1), side), expected, atol=0.1)
