"""Which slices of a stack are held back."""

from __future__ import annotations

from itertools import permutations

import pytest

from hmar.errors import ParameterError
from hmar.values.slabs import InSlab, Member, checked_slab_mm, held_back, slab_number, slabs_of


def stack(*along_mm: float) -> list[Member]:
    """Number slices from 1, in the order given."""
    return [Member(number, at) for number, at in enumerate(along_mm, start=1)]


def test_the_slice_nearest_to_the_middle_stands_for_its_slab() -> None:
    assert held_back(stack(0.0, 1.0, 2.0, 3.0, 4.0, 5.0), 3.0) == {1, 3, 4, 6}
    assert held_back(stack(0.6, 1.2, 1.8, 2.4), 3.0) == {1, 3, 4}


def test_of_two_slices_as_near_the_lower_stands_for_the_slab() -> None:
    assert held_back(stack(1.0, 2.0), 3.0) == {2}
    assert held_back(stack(2.0, 1.0), 3.0) == {1}


def test_thick_slices_are_slabs_of_their_own() -> None:
    assert held_back(stack(-10.0, -5.0, 0.0, 5.0), 3.0) == frozenset()


def test_no_order_of_arrival_changes_who_is_held_back() -> None:
    places = (-2.2, -1.4, -0.6, 0.2, 1.0)
    for order in permutations(places):
        members = stack(*order)
        held = {member.along_mm for member in members if member.entry_id in held_back(members, 2.0)}
        assert held == {-0.6, 0.2}


def test_a_slab_in_which_two_frames_lie_at_one_place_keeps_all_windows() -> None:
    assert held_back(stack(0.2, 1.0, 1.0, 1.8, 2.2, 3.0), 2.0) == {5}


def test_every_slice_is_in_one_slab_and_no_slab_is_without_a_representative() -> None:
    members = stack(*(0.7 * number - 30 for number in range(100)))
    slabs = slabs_of(members, 2.5)
    assert sorted(member for slab in slabs for member in slab) == sorted(members)
    held = held_back(members, 2.5)
    assert all(sum(member.entry_id not in held for member in slab) == 1 for slab in slabs)


def test_slabs_go_on_below_zero() -> None:
    assert [slab_number(at, 2.0) for at in (-2.1, -2.0, -0.1, 0.0, 1.9, 2.0)] == [-2, -1, -1, 0, 0, 1]


@pytest.mark.parametrize("wrong", [0.0, 0.4, 20.5, -3.0, float("nan"), float("inf")])
def test_a_thickness_out_of_range_is_refused(wrong: float) -> None:
    with pytest.raises(ParameterError, match="mm thick"):
        checked_slab_mm(wrong)
    assert checked_slab_mm(3) == 3


def test_what_an_answer_tells_of_a_slab_is_read_again() -> None:
    assert InSlab.from_dict(InSlab(2.5, 4).to_dict()) == InSlab(2.5, 4)
