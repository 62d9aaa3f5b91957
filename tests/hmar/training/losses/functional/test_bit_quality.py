import numpy as np
import pytest
import torch

from hmar.training.losses.functional.bit_quality import bit_quality


def test_bit_quality_is_that_of_plain_loops():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, 5))
    soft = np.tanh(logits)
    balance = np.mean([np.mean(soft[:, bit]) ** 2 for bit in range(5)])
    squares = [
        np.corrcoef(soft[:, one], soft[:, other])[0, 1] ** 2
        for one in range(5)
        for other in range(5)
        if one != other
    ]
    undecided = np.mean([1 - abs(value) for value in soft.ravel()])
    found = float(bit_quality(torch.from_numpy(logits)))
    assert found == pytest.approx(balance + np.mean(squares) + 0.1 * undecided, rel=1e-4)


def test_balanced_independent_decided_bits_are_best():
    torch.manual_seed(0)
    good = (torch.randint(0, 2, (4000, 8)) * 2 - 1) * 5.0
    stuck, twins, undecided = good.clone(), good.clone(), good * 0.05
    stuck[:, 0] = 5
    twins[:, 1] = twins[:, 0]
    best = float(bit_quality(good))
    assert best == pytest.approx(0, abs=0.01)
    for worse in (stuck, twins, undecided):
        assert float(bit_quality(worse)) > best + 0.01
