"""Slabs: thin slices of a stack of which one stands for its neighbours when windows are searched."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

from hmar.errors import ParameterError
from hmar.values.plain import Json, number

LEAST_MM, MOST_MM = 0.5, 20.0
"""A slab is at least as thick as the thinnest slices, and thinner than most structures."""
SAME_PLACE_MM = 0.01
"""Slices that lie nearer than this lie at one place."""


class Member(NamedTuple):
    """A frame of a stack: its entry, and its position along the stack's normal in mm."""

    entry_id: int
    along_mm: float


@dataclass(frozen=True, slots=True)
class Slab:
    """Neighbouring slices of which one has its windows searched.

    Parameters
    ----------
    slab_mm : float
        Its thickness.
    entry_ids : tuple of int
        Its slices, in order along the normal; two or more.
    """

    slab_mm: float
    entry_ids: tuple[int, ...]


class InSlab(NamedTuple):
    """What a hit tells of its slab: the thickness in mm, and how many slices it has."""

    slab_mm: float
    frames: int

    def to_dict(self) -> Json:
        """Return it as the API does."""
        return {"slab_mm": number(self.slab_mm), "frames": self.frames}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer tells."""
        return cls(float(told["slab_mm"]), int(told["frames"]))


def checked_slab_mm(slab_mm: float) -> float:
    """Return a thickness; raises ParameterError for one out of range."""
    if not LEAST_MM <= slab_mm <= MOST_MM:
        raise ParameterError(
            f"The slab is {slab_mm:g} mm thick.", f"Give {LEAST_MM:g} to {MOST_MM:g} mm, or 0 for no slabs."
        )
    return slab_mm


def slab_number(along_mm: float, slab_mm: float) -> int:
    """Return which slab a position lies in. It depends on nothing else: slices may come in any order."""
    return math.floor(along_mm / slab_mm)


def slabs_of(members: Iterable[Member], slab_mm: float) -> list[list[Member]]:
    """Share out the frames of a stack among slabs, each in order along the normal."""
    slabs: defaultdict[int, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda member: (member.along_mm, member.entry_id)):
        slabs[slab_number(member.along_mm, slab_mm)].append(member)
    return [slabs[which] for which in sorted(slabs)]


def held_back(members: Collection[Member], slab_mm: float) -> frozenset[int]:
    """Return the entries whose windows are not searched, of the frames of a stack.

    In each slab the slice nearest to the middle stands for the others; of two as near the lower. A slab in
    which two frames lie at one place keeps the windows of all: they may show different phases.
    """
    held: set[int] = set()
    for slab in slabs_of(members, slab_mm):
        gaps = (after.along_mm - before.along_mm for before, after in pairwise(slab))
        if any(gap < SAME_PLACE_MM for gap in gaps):
            continue
        middle = (slab_number(slab[0].along_mm, slab_mm) + 0.5) * slab_mm
        first = min(slab, key=lambda one: (round(abs(one.along_mm - middle), 3), one.along_mm))
        held.update(one.entry_id for one in slab if one is not first)
    return frozenset(held)
