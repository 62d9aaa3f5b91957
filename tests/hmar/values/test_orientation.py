"""Directions of a frame in the patient."""

from __future__ import annotations

import pytest

from hmar.values.orientation import cosines_of, directions_of, is_direction


@pytest.mark.parametrize(
    ("cosines", "directions"),
    [
        ((1, 0, 0, 0, 1, 0), ("L", "P")),
        ((1, 0, 0, 0, 0, -1), ("L", "F")),
        ((0, 1, 0, 0, 0, -1), ("P", "F")),
        ((-1, 0, 0, 0, -1, 0), ("R", "A")),
        ((0.999, 0.04, 0, -0.04, 0.999, 0), ("L", "P")),
        ((0.8, -0.6, 0, 0.6, 0.8, 0), ("LA", "PL")),
    ],
)
def test_directions_have_the_letters_of_the_sides_that_they_go_to(
    cosines: tuple[float, ...], directions: tuple[str, str]
) -> None:
    known = cosines_of(cosines)
    assert known is not None
    assert directions_of(known) == directions


@pytest.mark.parametrize("numbers", [(), (1, 0, 0), (0, 0, 0, 0, 1, 0), (1, 0, 0, 0, 1, 1)])
def test_what_are_no_two_directions_is_none(numbers: tuple[float, ...]) -> None:
    assert cosines_of(numbers) is None


@pytest.mark.parametrize(
    ("letters", "expected"),
    [("A", True), ("LPH", True), ("LR", False), ("", False), ("X", False), ("LPHA", False)],
)
def test_letters_name_each_axis_once(letters: str, expected: bool) -> None:
    assert is_direction(letters) is expected
