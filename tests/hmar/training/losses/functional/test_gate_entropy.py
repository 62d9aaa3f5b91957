import math

import pytest
import torch

from hmar.training.losses.functional.gate_entropy import gate_entropy


def test_the_entropy_is_that_of_plain_loops():
    gates = [[0.5, 0.5], [0.9, 0.1], [0.25, 0.75]]
    expected = sum(-sum(weight * math.log(weight) for weight in gate) for gate in gates) / len(gates)
    assert float(gate_entropy(torch.tensor(gates))) == pytest.approx(expected, rel=1e-5)


def test_it_is_highest_for_an_even_gate_and_zero_where_one_expert_is_chosen():
    even, tilted, decided = (torch.tensor([[p, 1 - p]]) for p in (0.5, 0.8, 1.0))
    assert float(gate_entropy(even)) == pytest.approx(math.log(2), rel=1e-5)
    assert float(gate_entropy(even)) > float(gate_entropy(tilted)) > float(gate_entropy(decided))
    assert float(gate_entropy(decided)) == pytest.approx(0, abs=1e-6)


def test_its_gradient_is_finite_where_a_gate_is_0():
    gate = torch.tensor([[1.0, 0.0]], requires_grad=True)
    gate_entropy(gate).backward()
    assert gate.grad is not None
    assert bool(gate.grad.isfinite().all())
