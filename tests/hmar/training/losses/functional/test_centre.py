import math

import numpy as np
import pytest
import torch

from hmar.training.losses.functional.centre import centre_loss

SCALE, MARGIN = 8.0, 0.2


@pytest.mark.parametrize("target", [
    [[1.0, 0, 0], [0, 0, 1.0]],
    [[0.7, 0.3, 0], [0, 0.5, 0.5]],  # images that were mixed
])  # fmt: skip
def test_the_centre_loss_is_that_of_plain_loops(target):
    rng = np.random.default_rng(0)
    logits, codes = rng.normal(size=(2, 6)), rng.choice([-1.0, 1.0], (3, 6))
    expected = []
    for row, shares in zip(logits, target, strict=True):
        scores = [
            SCALE * (row @ code / (np.linalg.norm(row) * np.linalg.norm(code)) - MARGIN * share)
            for code, share in zip(codes, shares, strict=True)
        ]
        total = sum(math.exp(score) for score in scores)
        expected.append(
            -sum(
                share * math.log(math.exp(score) / total) for score, share in zip(scores, shares, strict=True)
            )
        )
    directions = torch.from_numpy(codes / math.sqrt(6))
    found = centre_loss(torch.from_numpy(logits), torch.tensor(target).double(), directions, SCALE, MARGIN)
    assert found.tolist() == pytest.approx(expected, rel=1e-6)


def test_logits_at_the_code_of_their_class_cost_least():
    directions = torch.nn.functional.normalize(torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1]]), dim=1)
    target = torch.tensor([[1.0, 0.0]])
    own, other = (centre_loss(3 * code[None], target, directions, SCALE, MARGIN) for code in directions)
    assert float(own) < float(other)
