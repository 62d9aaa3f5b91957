"""Which people choices may be made on, and which are only reported: a rule by name, fixed for all times."""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

Half = Literal["choose", "report"]
People = Literal["choose", "report", "all"]
HALVES: tuple[Half, ...] = get_args(Half)
PEOPLE: tuple[People, ...] = get_args(People)


def half_of(person: str) -> Half:
    """Return a person's half: "choose" where the first byte of the name's sha256 is even, else "report".

    The name is that of the person's folder. The rule looks at one person alone, so that people who are added
    later move nobody.
    """
    return "choose" if hashlib.sha256(person.encode()).digest()[0] % 2 == 0 else "report"
