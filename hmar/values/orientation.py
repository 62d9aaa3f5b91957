"""How a frame lies in the patient: direction cosines, and the letters that viewers write at its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence

Cosines = tuple[float, float, float, float, float, float]
"""ImageOrientationPatient (0020,0037): the direction of a row, then that of a column, each of length 1."""

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_LEAST = 0.25
"""A direction that leans less than this to a side is not named after it."""
_LENGTH_TOLERANCE = 0.05


def cosines_of(numbers: Sequence[float]) -> Cosines | None:
    """Return six numbers as direction cosines; None unless they are two directions of length 1."""
    if len(numbers) != 6:
        return None
    row, column = numbers[:3], numbers[3:]
    if any(abs(math.hypot(*direction) - 1) > _LENGTH_TOLERANCE for direction in (row, column)):
        return None
    return (row[0], row[1], row[2], column[0], column[1], column[2])


def directions_of(cosines: Cosines) -> tuple[str, str]:
    """Return where a row and a column go, by the letters of PS3.3 C.7.6.1.1.1, the nearest side first."""
    return _letters(cosines[:3]), _letters(cosines[3:])


def is_direction(letters: str) -> bool:
    """Whether a text is one to three of the letters, each axis once."""
    sides = [next((axis for axis, pair in enumerate(_LETTERS) if one in pair), None) for one in letters]
    return 1 <= len(sides) <= 3 and None not in sides and len(set(sides)) == len(sides)


def _letters(direction: Sequence[float]) -> str:
    by_size = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    named = [axis for axis in by_size if abs(direction[axis]) >= _LEAST]
    return "".join(_LETTERS[axis][direction[axis] < 0] for axis in named)
