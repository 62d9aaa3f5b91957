import pytest
import torch
from torch import nn

from hmar.training.ema import ema_decay, update_ema


def test_weights_move_by_the_share_and_buffers_are_copied():
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        average.weight.fill_(1.0)
        network.weight.fill_(3.0)
    network.running_mean.fill_(7.0)
    update_ema(average, network, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.running_mean.tolist() == [7.0, 7.0]
    assert network.weight.tolist() == [3.0, 3.0]


def test_the_average_forgets_faster_at_first():
    decays = [ema_decay(0.98, step) for step in (1, 2, 11, 1000)]
    assert decays == pytest.approx([1 / 10, 2 / 11, 11 / 20, 0.98])
