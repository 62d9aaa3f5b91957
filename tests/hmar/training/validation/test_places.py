"""What validation asks of a network, on views whose codes are given."""

import numpy as np
import pytest
import torch

from hmar.training.config import TrainingConfig
from hmar.training.data.pairs import PairBatch, PairConfig
from hmar.training.data.structures import NO_STRUCTURE, UNLABELLED
from hmar.training.data.views import ViewSet
from hmar.training.data.volumes import Volume, constant_regions
from hmar.training.validation.places import Validation, first_place, held_out

CELLS = 32
LIVER, SPLEEN, RIB = 0, 1, 2


class Given:
    """A network whose logits of a window are the mean of the map below it."""

    def __init__(self) -> None:
        self.local_expert = self

    def eval(self) -> None:
        """Do nothing."""

    def map(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, 128, h, w) -> the same."""
        return maps

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """(N, 128 * 9) -> (N, 128)."""
        return windows.reshape(len(windows), 128, -1).mean(dim=2)


def views(*codes: int) -> ViewSet:
    """Return a view for each code, a number whose bits are repeated; one slice each."""
    bits = torch.tensor([[(code >> bit % 8) & 1 for bit in range(128)] for code in codes])
    maps = (2.0 * bits - 1)[:, :, None, None].expand(-1, -1, CELLS, CELLS).half()
    count = np.arange(len(codes))
    content = torch.ones(len(codes), CELLS, CELLS, dtype=torch.bool)
    to_cell = np.broadcast_to(np.eye(2, 3) / 12, (len(codes), 2, 3))
    return ViewSet(maps, content, 0 * count, count, count * 5.0, to_cell)


def batch(view: int, label: int) -> PairBatch:
    """Return a pair of one view with itself, one window each, which show what is said."""
    weights = torch.full((2, 1, 3, CELLS), 1 / CELLS)
    at, shown = np.array([view]), np.array([label])
    place = np.array([[0.0, 0.0, 0.0, 5.0 * view]])
    return PairBatch(at, at, weights, weights, np.array([36.0]), place, shown, shown)


def found(codes: list[int], asked: list[tuple[int, int]], learnt: list[tuple[int, int]]) -> float | None:
    maps = views(*codes).maps
    validation = Validation(tuple(batch(*one) for one in asked), tuple(batch(*one) for one in learnt))
    return validation.measure(Given(), lambda chosen: maps[chosen].float())  # type: ignore[arg-type]


def test_a_structure_is_found_where_a_learnt_slice_that_shows_it_is_nearest():
    learnt = [(1, LIVER), (2, SPLEEN)]
    assert found([0b0001, 0b0011, 0b1100], [(0, LIVER)], learnt) == 1
    assert found([0b0001, 0b0011, 0b1100], [(0, SPLEEN)], learnt) == 0


def test_a_window_of_no_structure_that_is_as_near_takes_half():
    learnt = [(1, LIVER), (2, NO_STRUCTURE)]
    assert found([0b0001, 0b0011, 0b0101], [(0, LIVER)], learnt) == pytest.approx(1 / 2)


def test_of_those_that_tie_as_many_as_are_right_count():
    learnt = [(1, LIVER), (1, LIVER), (1, LIVER), (2, SPLEEN)]
    assert found([0b0001, 0b0001, 0b0001], [(0, LIVER)], learnt) == pytest.approx(3 / 4)


def test_what_has_no_labels_is_neither_asked_for_nor_in_the_way():
    learnt = [(1, LIVER), (2, UNLABELLED)]
    asked = [(0, LIVER), (2, UNLABELLED), (2, NO_STRUCTURE)]
    assert found([0b0001, 0b0011, 0b0001], asked, learnt) == 1


def test_a_structure_that_no_learnt_slice_shows_is_not_asked_for():
    learnt = [(1, LIVER), (2, SPLEEN)]
    assert found([0b0001, 0b0011, 0b1100], [(0, LIVER), (2, RIB)], learnt) == 1


def test_another_view_of_the_held_out_slice_does_not_count():
    # the two views of a place are alike in all of these: places are found, the structure is not
    codes, asked = [0b0001, 0b1110], [(0, LIVER)]
    assert found(codes, asked, []) == 1
    assert found([*codes, 0b0000], asked, [(1, LIVER), (2, SPLEEN)]) == 0


def volume(slices: int, labels: np.ndarray | None) -> Volume:
    values = np.zeros((slices, 96, 96), np.int16)
    return Volume("v", values, (5.0, 3.0, 3.0), "CT", constant_regions(slices, "CHEST"), labels)


@pytest.mark.parametrize(("labelled", "structures", "asked"), [
    (True, True, True), (True, False, False), (False, True, False),
])  # fmt: skip
def test_structures_are_asked_for_where_they_are_labelled_and_learnt(labelled, structures, asked):
    slices = 20
    labels = np.zeros((slices, 96, 96), np.int16) if labelled else None
    shown = views(*[1] * slices)
    held = shown.plane // 2 == 4
    config = TrainingConfig(structure_weight=float(structures))
    validation = Validation.of(shown, [volume(slices, labels)], PairConfig(views=2, windows=3), held, config)
    assert bool(validation.gallery) == asked
    drawn = {int(plane) for one in validation.gallery for plane in (*one.first, *one.second)}
    assert not drawn & {8, 9}


def test_slices_in_the_middle_of_a_volume_that_can_spare_them_are_held_out():
    assert not held_out(views(*[1] * 6)).any()  # six slices can spare none
    assert np.flatnonzero(held_out(views(*[1] * 40))).tolist() == [18, 19, 20, 21, 22]


def test_a_place_is_found_first_where_its_code_is_the_nearest():
    agreement = torch.tensor([[9.0, 1, 1], [5, 5, 1], [9, 1, 3]])
    own = torch.eye(3, dtype=torch.bool)
    others = ~own
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 0) / 3)
    others[2, 0] = False  # too near to count as another place
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 1) / 3)
    own[1, 0], others[1, 0] = True, False  # of the same structure
    assert first_place(agreement, own, others).mean() == pytest.approx(1)
    own[1, 1], others[1, 1] = False, True  # as near as the one that is of it
    assert first_place(agreement, own, others).mean() == pytest.approx((1 + 1 / 2 + 1) / 3)
