import math

import pytest
import torch

from hmar.training.losses.functional.contrastive import contrastive


def test_the_contrastive_loss_is_that_of_a_plain_loop():
    torch.manual_seed(0)
    a, b = torch.randn(6, 16), torch.randn(6, 16)
    negative = torch.rand(6, 6) > 0.3
    negative = negative & negative.T
    losses = contrastive(a, b, negative, 0.2)
    u, v = torch.nn.functional.normalize(a.tanh(), dim=1), torch.nn.functional.normalize(b.tanh(), dim=1)
    for i in range(6):
        total = 0.0
        for x, y in ((u, v), (v, u)):
            own = math.exp(float(x[i] @ y[i]) / 0.2)
            others = sum(math.exp(float(x[i] @ y[j]) / 0.2) for j in range(6) if j != i and negative[i, j])
            total -= math.log(own / (own + others))
        assert float(losses[i]) == pytest.approx(total / 2, rel=1e-4)


def test_pairs_that_agree_and_differ_from_the_others_cost_least():
    codes = torch.eye(4).repeat(1, 4) * 10 - 5
    negative = torch.ones(4, 4, dtype=torch.bool)
    assert (
        contrastive(codes, codes, negative, 0.1).max()
        < contrastive(codes, codes.roll(1, 0), negative, 0.1).min()
    )
