"""Losses are read in bunches on a GPU, and every step is reported all the same."""

import pytest
import torch

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.reports import Reports, Step
from hmar.training.stages import Stage


def step(number: int) -> Step:
    return Step(Stage.REGIONS, number, 30, {})


def test_steps_on_a_processor_are_reported_at_once():
    told = []
    reports = Reports(told.append, torch.device("cpu"))
    reports.add(step(1), {"codes": torch.tensor(0.1), "total": torch.tensor(0.5)})
    assert told == [Step(Stage.REGIONS, 1, 30, {"codes": float(torch.tensor(0.1)), "total": 0.5})]


def test_steps_on_a_gpu_are_reported_ten_at_a_time_in_order_and_none_is_lost():
    told = []
    reports = Reports(told.append, torch.device("cuda"))
    counts = []
    for number in range(1, 24):
        # Losses may differ from step to step: a batch may have nothing that a loss applies to.
        losses = {"total": torch.tensor(float(number))} | (
            {"labels": torch.tensor(number / 2)} if number % 3 == 0 else {}
        )
        reports.add(step(number), losses)
        counts.append(len(told))
    assert counts == [0] * 9 + [10] * 10 + [20] * 4
    reports.flush()
    reports.flush()
    assert [each.number for each in told] == list(range(1, 24))
    for each in told:
        named = {"labels": each.number / 2} if each.number % 3 == 0 else {}
        assert each.losses == {"total": float(each.number)} | named
