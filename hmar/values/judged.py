"""Hits that somebody judged, by which a search is refined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from hmar.errors import ParameterError, shown
from hmar.values.indexed import Indexed, IndexedFrame, named

MAX_JUDGED = 100
"""Frames of each verdict that a search is refined by."""


class Refinement(NamedTuple):
    """How many judged frames a search was refined by."""

    relevant: int
    not_relevant: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Frames of the archive that are like what is looked for, and frames that are not.

    A frame stands for what a search finds in it: the windows nearest to the query's.

    Parameters
    ----------
    relevant, not_relevant : tuple of IndexedFrame
        Up to ``MAX_JUDGED`` each.

    Raises
    ------
    ParameterError
        If there are more, or a frame comes twice.
    """

    relevant: tuple[IndexedFrame, ...] = ()
    not_relevant: tuple[IndexedFrame, ...] = ()

    def __post_init__(self) -> None:
        """Check the numbers, and that every frame has one verdict."""
        for name, frames in (("relevant", self.relevant), ("not_relevant", self.not_relevant)):
            if len(frames) > MAX_JUDGED:
                raise ParameterError(f"{name} has {len(frames)} frames.", f"Give at most {MAX_JUDGED}.")
        seen: set[IndexedFrame] = set()
        for frame in (*self.relevant, *self.not_relevant):
            if frame in seen:
                uid = shown(frame.sop_instance_uid)
                raise ParameterError(
                    f"Frame {frame.frame_number} of instance {uid} is judged twice.",
                    "Name each frame once, in relevant or in not_relevant.",
                )
            seen.add(frame)

    @classmethod
    def of(cls, relevant: Iterable[Indexed], not_relevant: Iterable[Indexed]) -> Self:
        """Return hits, or other frames of the archive, as judged."""
        return cls(tuple(map(named, relevant)), tuple(map(named, not_relevant)))

    def __bool__(self) -> bool:
        return bool(self.relevant or self.not_relevant)

    @property
    def counts(self) -> Refinement | None:
        """How many frames there are; None for none."""
        return Refinement(len(self.relevant), len(self.not_relevant)) if self else None


NOTHING_JUDGED = Judged()
