"""Summaries of frames and regions, gathered by kind, and the references fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hmar.model.serving.features import FrameFeatures
from hmar.model.serving.references import KindReferences
from hmar.training.typicality.fitting import OF_FRAMES, OF_REGIONS, fit_reference
from hmar.values.frames import FloatArray
from hmar.values.window_ids import unpack_window_ids

WINDOWS_OF_SIZE = 10
"""Windows of each size that are drawn of a frame."""

_SEED = 7


@dataclass(frozen=True, slots=True)
class Counted:
    """How many frames and people references of a kind were fitted to."""

    frames: int
    people: int

    def __str__(self) -> str:
        return f"{self.frames} frames of {self.people} people"


ENOUGH = Counted(8, 1)
"""Nothing is fitted to less of a kind."""


@dataclass(slots=True)
class _Kind:
    """What was seen of a kind: (person, summaries) of frames, and of windows of each size."""

    frames: list[tuple[int, FloatArray]] = field(default_factory=list)
    windows: dict[int, list[tuple[int, FloatArray]]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)


class Summaries:
    """Gathers what is seen of frames.

    Parameters
    ----------
    sides : sequence of int
        Sides of the model's windows in cells.
    """

    def __init__(self, sides: tuple[int, ...]) -> None:
        self._sides = sides
        self._random = np.random.default_rng(_SEED)
        self._kinds: dict[str, _Kind] = {}

    def add(self, person: str, features: FrameFeatures) -> None:
        """Add a frame; one that shows nothing is left out."""
        sizes, _, _ = unpack_window_ids(features.window_ids)
        windows = {}
        for size in np.unique(sizes).tolist():
            own = np.flatnonzero(sizes == size)
            drawn = own[np.sort(self._random.permutation(len(own))[:WINDOWS_OF_SIZE])]
            windows[self._sides[size]] = features.window_summaries[drawn]
        if windows:
            self.put(features.kind, person, features.summary, windows)

    def put(self, kind: str, person: str, summary: FloatArray, windows: Mapping[int, FloatArray]) -> None:
        """Add a frame's summary (S,) and those of some of its windows (N, C), by their side in cells."""
        own = self._kinds.setdefault(kind, _Kind())
        number = own.people.setdefault(person, len(own.people))
        own.frames.append((number, summary[None]))
        for side, summaries in windows.items():
            own.windows.setdefault(side, []).append((number, summaries))

    def counted(self) -> Mapping[str, Counted]:
        """Return how much was seen of each kind."""
        return {name: Counted(len(kind.frames), len(kind.people)) for name, kind in self._kinds.items()}

    def fit(self, least: Counted = ENOUGH) -> Mapping[str, KindReferences]:
        """Fit references to every kind of which there are frames and people enough.

        Of a kind, windows of a size are left out that too few frames have.
        """
        return {
            name: KindReferences(
                fit_reference(*_joined(kind.frames), OF_FRAMES),
                {
                    side: fit_reference(*_joined(parts), OF_REGIONS)
                    for side, parts in sorted(kind.windows.items())
                    if len(parts) >= least.frames
                },
            )
            for name, kind in self._kinds.items()
            if len(kind.frames) >= least.frames and len(kind.people) >= least.people
        }


def _joined(parts: list[tuple[int, FloatArray]]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return all summaries (N, C), and whose each is (N,)."""
    owners = np.repeat([number for number, _ in parts], [len(own) for _, own in parts])
    return np.concatenate([own for _, own in parts]), owners
