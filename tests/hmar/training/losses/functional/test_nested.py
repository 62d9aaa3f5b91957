import pytest
import torch

from hmar.training.losses.functional.nested import code_lengths, nested


def test_the_short_code_is_left_out_where_it_has_no_share():
    assert code_lengths(0.0) == (128,)
    assert code_lengths(0.25) == (64, 128)


def test_losses_of_both_lengths_are_weighted_by_their_shares():
    short, whole = torch.tensor([4.0, 8.0]), torch.tensor([0.0, 2.0])
    assert nested([short, whole], 0.25).tolist() == pytest.approx([1.0, 3.5])
    assert nested([whole], 0.0) is whole
