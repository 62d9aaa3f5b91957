"""People drawn from real ones: series whose codes have the statistics of those of an archive.

Codes of a person who was never scanned must lie as far from those of other people as real ones do, and must
differ from bit to bit as these do: bits flipped at random would make everybody less alike than people are. So

- a drawn person is a whole real series, each as likely as any other: windows of a frame, and what they have
  in common, are real ones;
- a share of the bits, the same throughout the series, is taken from another patient's series, one of the few
  that are most like it: of each window from the nearest window of the frame that is most like its own;
- each window has some of the bits flipped that differ between a window and the same one of a neighbouring
  slice somewhere in the archive.

docs/experiments/scan-of-people.md compares the distances with real ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.speed.real_codes import RealSeries
from hmar.values.codes import CODE_BITS, CODE_BYTES, CodeArray, WindowIds

TAKEN_SHARE = (0.1, 0.35)
"""Least and largest share of the bits that are another's."""
PARTNERS = 4
"""Series that bits are taken from."""
FLIPPED_SHARE = 0.05
"""Share of the bits that differ between neighbouring slices, some 16 of 128, that are flipped."""
_FLIPS = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """The codes of one drawn person.

    Parameters
    ----------
    global_codes : ndarray of uint8, shape (F, 16)
    window_codes : ndarray of uint8, shape (W, 16)
    window_ids : ndarray of uint32, shape (W,)
    counts : ndarray of int64, shape (F,)
        Windows of each frame.
    slices : ndarray of int64, shape (F,)
        Number of each frame's slice, from 1.
    """

    global_codes: CodeArray
    window_codes: CodeArray
    window_ids: WindowIds
    counts: NDArray[np.int64]
    slices: NDArray[np.int64]

    def first(self, frames: int) -> Person:
        """Return the first frames alone."""
        windows = int(self.counts[:frames].sum())
        return Person(
            self.global_codes[:frames],
            self.window_codes[:windows],
            self.window_ids[:windows],
            self.counts[:frames],
            self.slices[:frames],
        )

    def reordered(self, order: NDArray[np.int64]) -> Person:
        """Return the same frames in another order, shape (F,)."""
        return Person(
            self.global_codes[order],
            parts_in_order(self.window_codes, self.counts, order),
            parts_in_order(self.window_ids, self.counts, order),
            self.counts[order],
            self.slices[order],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Partner:
    """What differs between a series and one that bits are taken from: codes of frames and of windows."""

    global_codes: CodeArray
    window_codes: CodeArray


class People:
    """Draws people from real series.

    Parameters
    ----------
    series : sequence of RealSeries
        From 1. Where there are no other patients, bits are taken from other series of the same one.
    """

    def __init__(self, series: Sequence[RealSeries]) -> None:
        self._series = series
        self._partners = [_partners(one, series) for one in series]
        self._differing = _differing(series)

    def drawn(self, frames: int, seed: int = 0) -> Iterator[Person]:
        """Yield people until there are that many frames; of the last one maybe the first frames alone."""
        generator = np.random.default_rng(seed)
        flips = _flips(self._differing, generator)
        while frames > 0:
            person = self._person(generator, flips).first(frames)
            frames -= len(person.counts)
            yield person

    def _person(self, generator: np.random.Generator, flips: CodeArray) -> Person:
        at = int(generator.integers(len(self._series)))
        own, partner = self._series[at], self._partners[at][int(generator.integers(len(self._partners[at])))]
        taken = bits_of(generator, (), float(generator.uniform(*TAKEN_SHARE)))
        flipped = flips[generator.integers(0, len(flips), len(own.window_ids))]
        return Person(
            own.global_codes ^ (partner.global_codes & taken),
            own.window_codes ^ (partner.window_codes & taken) ^ flipped,
            own.window_ids,
            np.diff(own.offsets),
            np.arange(1, len(own) + 1),
        )


def parts_in_order(
    rows: NDArray[Any], counts: NDArray[np.integer[Any]], order: NDArray[np.int64]
) -> NDArray[Any]:
    """Return rows of frames, as many of each as ``counts`` tells, in another order of the frames."""
    parts = np.split(rows, np.cumsum(counts)[:-1])
    return np.concatenate([parts[at] for at in order.tolist()])


def bits_of(generator: np.random.Generator, shape: tuple[int, ...], share: float) -> CodeArray:
    """Draw codes, shape (*shape, 16), of whose bits that share is 1."""
    return np.packbits(generator.random((*shape, CODE_BITS)) < share, axis=-1)


def _partners(own: RealSeries, series: Sequence[RealSeries]) -> list[_Partner]:
    """Return what differs between a series and the few other patients' that are most like it."""
    others = [one for one in series if one.patient != own.patient] or list(series)
    likeness = [distances(own.global_codes, other.global_codes).min(axis=1).mean() for other in others]
    return [_partner(own, others[at]) for at in np.argsort(likeness, kind="stable")[:PARTNERS].tolist()]


def _partner(own: RealSeries, other: RealSeries) -> _Partner:
    nearest = distances(own.global_codes, other.global_codes).argmin(axis=1)
    differing = np.zeros_like(own.window_codes)
    for frame, found in enumerate(nearest.tolist()):
        codes, others = own.window_codes[own.windows(frame)], other.window_codes[other.windows(found)]
        if len(codes) and len(others):
            differing[own.windows(frame)] = codes ^ others[distances(codes, others).argmin(axis=1)]
    return _Partner(own.global_codes ^ other.global_codes[nearest], differing)


def distances(codes: CodeArray, others: CodeArray) -> NDArray[np.uint8]:
    """Return the Hamming distances of codes, shape (n, 16), to others, shape (m, 16), as (n, m)."""
    left, right = (np.ascontiguousarray(each).view(np.uint64) for each in (codes, others))
    found: NDArray[np.uint8] = np.bitwise_count(left[:, None, 0] ^ right[None, :, 0])
    found += np.bitwise_count(left[:, None, 1] ^ right[None, :, 1])
    return found


def _differing(series: Sequence[RealSeries]) -> CodeArray:
    """Return the bits that differ between neighbouring slices, shape (n, 16), n from 1."""
    known = [neighbour_differences(one, frame) for one in series for frame in range(len(one) - 1)]
    return np.concatenate([np.zeros((1, CODE_BYTES), np.uint8), *known])


def _flips(differing: CodeArray, generator: np.random.Generator) -> CodeArray:
    """Return bits to flip, shape (n, 16): some of those that differ between neighbouring slices."""
    drawn: CodeArray = differing[generator.integers(0, len(differing), _FLIPS)]
    return drawn & bits_of(generator, (_FLIPS,), FLIPPED_SHARE)


def neighbour_differences(series: RealSeries, frame: int) -> CodeArray:
    """Return the bits that differ between the windows of a slice and the same ones of the next, (n, 16)."""
    here, there = series.windows(frame), series.windows(frame + 1)
    _, at, beside = np.intersect1d(
        series.window_ids[here], series.window_ids[there], assume_unique=True, return_indices=True
    )
    codes: CodeArray = series.window_codes[here][at] ^ series.window_codes[there][beside]
    return codes
