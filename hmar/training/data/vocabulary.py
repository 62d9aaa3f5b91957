"""One vocabulary of names for all sources of a training: each name has one number, whoever uses it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}


def structure_name(text: str) -> str:
    """Return the name of a structure as all sources are to spell it; empty where nothing is left.

    Lower case, with underscores between words; the side last: "Left Kidney", "KIDNEY_L" and "kidney_left" are
    one structure.
    """
    words = re.findall(r"[^\W_]+", text.lower())
    if len(words) > 1:
        if words[0] in _SIDES:
            words = [*words[1:], words[0]]
        words[-1] = _SIDES.get(words[-1], words[-1])
    return "_".join(words)


class Vocabulary:
    """Numbers names from 0, in the order in which they are first asked for.

    Parameters
    ----------
    names : iterable of str
        Names that come first.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        for name in names:
            self.number(name)

    def number(self, name: str) -> int:
        """Return the number of a name."""
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def names(self) -> list[str]:
        """The names, by their numbers."""
        return [*self._numbers]
