"""How often each volume is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from hmar.training.data.volume_shares import volume_shares
from tests.hmar.training.tiny import scan

PLAIN = replace(scan("plain"), labels=None)
OWN = replace(PLAIN, labels=np.zeros(PLAIN.values.shape, np.int16))
CARRIED = replace(OWN, carried=True)


def test_volumes_are_drawn_by_the_root_of_their_size():
    assert volume_shares([PLAIN, OWN], [4, 36]) == pytest.approx([0.25, 0.75])


def test_labels_of_ones_own_are_drawn_as_often_as_all_that_are_carried():
    shares = volume_shares([OWN, *[CARRIED] * 9, PLAIN], [100] * 11)
    assert shares[0] == pytest.approx(shares[1:10].sum())
    assert shares[1:] == pytest.approx([1 / 19] * 10)


def test_many_volumes_with_labels_of_their_own_are_drawn_as_without_the_others():
    assert volume_shares([OWN, OWN, CARRIED], [9] * 3) == pytest.approx([1 / 3] * 3)


def test_where_all_labels_are_carried_nothing_changes():
    assert volume_shares([CARRIED, PLAIN], [9, 9]) == pytest.approx([0.5, 0.5])
