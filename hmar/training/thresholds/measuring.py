"""The logits of sampled frames, their medians, and what these do to the codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.errors import HmarError
from hmar.model.bit_statistics import BitStatistics, bit_statistics
from hmar.model.serving.features import FrameFeatures
from hmar.model.thresholds import Thresholds
from hmar.training.thresholds.medians import weighted_median
from hmar.training.thresholds.sampling import person
from hmar.training.typicality.summaries import Summaries
from hmar.values.codes import CODE_BITS, pack_logits
from hmar.values.entries import EntryInfo
from hmar.values.frames import FloatArray, Frame

WINDOWS_OF_FRAME = 64
"""Windows that are measured of a frame, drawn at random."""

_HELD_OUT = 5
"""A fifth of the people is held out: thresholds are fitted on the others and measured on these."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Logits of frames of one modality.

    Parameters
    ----------
    frames : ndarray of float32, shape (N, 128)
    windows : ndarray of float32, shape (W, 128)
    frame_of : ndarray of int64, shape (W,)
        Row of each window's frame.
    people : ndarray of str, shape (N,)
        Key of each frame's person, see :func:`hmar.training.thresholds.sampling.person`.
    """

    frames: FloatArray
    windows: FloatArray
    frame_of: NDArray[np.int64]
    people: NDArray[np.str_]

    @property
    def number_of_people(self) -> int:
        """How many people the frames are of."""
        return len(np.unique(self.people))

    def of_people(self, chosen: NDArray[np.str_]) -> Measured:
        """Return the frames of some people."""
        rows = np.flatnonzero(np.isin(self.people, chosen))
        kept = np.isin(self.frame_of, rows)
        return Measured(
            self.frames[rows],
            self.windows[kept],
            np.searchsorted(rows, self.frame_of[kept]),
            self.people[rows],
        )

    def weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weights of frames and windows: people count equally, and so do frames of a person."""
        _, number, counts = np.unique(self.people, return_inverse=True, return_counts=True)
        frames = 1 / counts[number]
        windows = np.bincount(self.frame_of, minlength=len(self.frames))
        return frames, frames[self.frame_of] / windows[self.frame_of]

    def medians(self) -> Thresholds:
        """Return thresholds at the medians."""
        frames, windows = self.weights()
        return Thresholds(weighted_median(self.frames, frames), weighted_median(self.windows, windows))

    def statistics(self, thresholds: Thresholds) -> tuple[BitStatistics, BitStatistics]:
        """Return the bit statistics of frames' and windows' codes with some thresholds."""
        frames, windows = self.weights()
        return (
            bit_statistics(pack_logits(self.frames, thresholds.frame), frames),
            bit_statistics(pack_logits(self.windows, thresholds.windows), windows),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Bit statistics of (frames, windows) with the thresholds of before, and with new ones."""

    before: tuple[BitStatistics, BitStatistics]
    after: tuple[BitStatistics, BitStatistics]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the thresholds of one modality were taken from, and what they do to codes of other people.

    ``name`` is one of :data:`hmar.model.thresholds.NAMES`.
    """

    name: str
    frames: int
    people: int
    change: Change


def measure(
    entries: Sequence[EntryInfo],
    read: Callable[[EntryInfo], Frame],
    look: Callable[[Frame], FrameFeatures],
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
    summaries: Summaries,
) -> Measured:
    """Read frames again and measure their logits; frames that are gone, or show nothing, are left out.

    Parameters
    ----------
    entries : sequence of EntryInfo
    read : callable
        Reads an indexed frame again.
    look : callable
        Returns the features of a frame, as :meth:`hmar.encoder.HmarEncoder.features` does.
    rng : numpy.random.Generator
        Draws windows.
    progress : callable
        Called with (done, total).
    summaries : Summaries
        The frames' summaries are added.
    """
    frames, windows, people = [], [], []
    for done, entry in enumerate(entries, start=1):
        try:
            seen = look(read(entry))
        except HmarError:
            continue
        finally:
            progress(done, len(entries))
        local = seen.window_logits
        if len(local):
            summaries.add(person(entry), seen)
            frames.append(seen.frame_logits)
            windows.append(local[rng.permutation(len(local))[:WINDOWS_OF_FRAME]])
            people.append(person(entry))
    return Measured(
        np.concatenate([np.empty((0, CODE_BITS), np.float32), *(whole[None] for whole in frames)]),
        np.concatenate([np.empty((0, CODE_BITS), np.float32), *windows]),
        np.repeat(np.arange(len(frames)), [len(own) for own in windows]),
        np.array(people, np.str_),
    )


def pooled(parts: Iterable[Measured]) -> Measured:
    """Return several modalities as one; who has frames of two is one person."""
    every = list(parts)
    before = np.cumsum([0, *(len(one.frames) for one in every)])
    return Measured(
        np.concatenate([one.frames for one in every]),
        np.concatenate([one.windows for one in every]),
        np.concatenate([one.frame_of + first for one, first in zip(every, before[:-1], strict=True)]),
        np.concatenate([one.people for one in every]),
    )


def change(measured: Measured, before: Thresholds, rng: np.random.Generator) -> Change:
    """Measure what thresholds do to the codes of people that they were not taken from.

    A fifth of the people is held out, and medians are taken from the others.
    """
    everyone = rng.permutation(np.unique(measured.people))
    held_out = everyone[: max(1, len(everyone) // _HELD_OUT)]
    rest = measured.of_people(everyone[len(held_out) :])
    asked = measured.of_people(held_out)
    return Change(asked.statistics(before), asked.statistics(rest.medians()))
