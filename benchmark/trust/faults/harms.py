"""How a file is harmed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Victim(NamedTuple):
    """A file that is harmed.

    Parameters
    ----------
    path : Path
    other : Path
        The same file of another archive.
    drawn : random.Random
        Chooses the place.
    """

    path: Path
    other: Path
    drawn: random.Random


Harm = Callable[[Victim], None]


def flip(victim: Victim) -> None:
    """Turn one bit over, in the last three quarters: headers are harmed by other means."""
    data = bytearray(victim.path.read_bytes())
    place = victim.drawn.randrange(len(data) // 4, len(data))
    data[place] ^= 1 << victim.drawn.randrange(8)
    victim.path.write_bytes(data)


def flip_first(victim: Victim) -> None:
    """Turn one bit of the first sixteen bytes over."""
    data = bytearray(victim.path.read_bytes())
    data[victim.drawn.randrange(min(16, len(data)))] ^= 1 << victim.drawn.randrange(8)
    victim.path.write_bytes(data)


def truncate(victim: Victim) -> None:
    """Cut the second half off."""
    data = victim.path.read_bytes()
    victim.path.write_bytes(data[: len(data) // 2])


def empty(victim: Victim) -> None:
    """Leave nothing in it."""
    victim.path.write_bytes(b"")


def zero(victim: Victim) -> None:
    """Fill its second half with zeros."""
    data = victim.path.read_bytes()
    half = len(data) // 2
    victim.path.write_bytes(data[:half] + bytes(len(data) - half))


def swap(victim: Victim) -> None:
    """Put another archive's in its place."""
    shutil.copyfile(victim.other, victim.path)


def remove(victim: Victim) -> None:
    """Remove it."""
    victim.path.unlink()


def folder(victim: Victim) -> None:
    """Put an empty folder in its place."""
    victim.path.unlink()
    victim.path.mkdir()


CONTENT: dict[str, Harm] = {
    "bit flipped": flip,
    "bit of its head flipped": flip_first,
    "cut in half": truncate,
    "emptied": empty,
    "half zeroed": zero,
    "of another archive": swap,
    "removed": remove,
    "a folder in its place": folder,
}
"""Every harm, by its name on the page."""
