import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.errors import ModelError
from hmar.model.kan import FoldedKAN
from hmar.model.serving.kan import ServedKAN
from tests.models import fill


def layer(intervals: int, order: int, inputs: int = 12, outputs: int = 5) -> FoldedKAN:
    folded = FoldedKAN(inputs, outputs, intervals, order)
    fill(folded, intervals)
    return folded


def served(folded: FoldedKAN) -> ServedKAN:
    return ServedKAN(folded.knots.numpy(), folded.base.numpy(), folded.spline.numpy())


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    intervals=st.integers(1, 9),
    order=st.integers(1, 4),
    scale=st.sampled_from([0.1, 0.5, 2.0, 8.0]),
    seed=st.integers(0, 1000),
)
def test_it_gives_the_values_of_the_cox_de_boor_recursion(intervals, order, scale, seed):
    torch.manual_seed(seed)
    folded = layer(intervals, order)
    x = torch.randn(70, 12) * scale
    expected = folded.double()(x.double()).numpy()
    error = np.abs(served(folded.float())(x.numpy()) - expected).max()
    # Single precision; of 5,760 draws the worst was 1.8e-5, with eight intervals and order 4.
    assert error <= 4e-5 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("x", [-2.0, -1.2, -0.4, 0.4, 2.0, 4.4, -4.4, 100.0, -100.0])
def test_knots_ends_and_far_outside_are_no_exception(x):
    torch.manual_seed(0)
    folded = layer(5, 3)
    at = torch.full((1, 12), x)
    expected = folded.double()(at.double()).numpy()
    assert served(folded.float())(at.numpy()) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_inputs_may_have_grids_of_their_own():
    torch.manual_seed(0)
    folded = layer(5, 3)
    folded.knots.mul_(torch.rand(12, 1) + 0.5).add_(torch.randn(12, 1))
    x = torch.randn(40, 12)
    assert np.allclose(served(folded)(x.numpy()), folded(x).numpy(), atol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 512, 513, 1100])
def test_rows_are_independent_of_how_many_come_together(rows):
    torch.manual_seed(0)
    layer_ = served(layer(5, 3))
    x = np.random.default_rng(0).standard_normal((rows, 12)).astype(np.float32)
    alone = [layer_(x[i : i + 1]) for i in range(0, rows, 37)]
    together = layer_(x)
    assert together.shape == (rows, 5)
    for i, one in enumerate(alone):
        assert together[i * 37] == pytest.approx(one[0], abs=1e-4)


def test_uneven_knots_are_refused():
    folded = layer(5, 3)
    folded.knots[3, 4] += 0.1
    with pytest.raises(ModelError, match="not evenly spaced"):
        served(folded)
