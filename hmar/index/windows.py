"""The windows of all frames: a base that never changes, as a snapshot holds it, and a tail that grows.

A *slot* is a frame's number, from 0 in order of arrival, those of the base first. A frame may have no
windows. Those of its coarse lattice come first, so that a search may compare them alone; who asks for a
frame's windows gets them by their ids. These are kept as runs, and read for hits alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import GrowingArray
from hmar.index.hamming import Slots
from hmar.index.id_runs import IdRuns, to_ids, to_runs
from hmar.index.planes import GrowingPlanes, Planes, to_codes, to_planes
from hmar.index.weighted import QueryCodes, first_distances
from hmar.values.codes import CODE_BYTES, Bits, CodeArray, WindowIds
from hmar.values.window_ids import coarse

LEAST_COARSE = 128
"""Windows of a frame, if it has as many, that count as coarse at least: two cache lines of each plane."""
GATHERED_FRAMES = 4096
"""Frames whose windows are copied at a time when some frames are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Windows of consecutive frames. Immutable.

    Parameters
    ----------
    codes : ndarray of uint8, shape (16, padded(W) or more)
        Planes of the windows' codes, those of one frame side by side; may be mapped from a file.
    offsets : ndarray of int64, shape (F + 1,)
        Where each frame's windows begin, and where the last frame's end.
    id_runs : ndarray of uint32, shape (R, 2)
        Which window of its frame each is, see :mod:`hmar.index.id_runs`; those of one frame side by side.
    run_offsets : ndarray of int64, shape (F + 1,)
        Where each frame's runs begin, and where the last frame's end.
    coarse_stops : ndarray of int64, shape (F,)
        Where each frame's coarse windows end; they are its first.
    source : object
        The same for all states of one tail: a later one begins with the windows of an earlier one. Whoever
        keeps a copy brings it up to date by what it lacks.
    """

    codes: Planes
    offsets: NDArray[np.int64]
    id_runs: IdRuns
    run_offsets: NDArray[np.int64]
    coarse_stops: NDArray[np.int64]
    source: object = field(default_factory=object, repr=False)
    only_coarse: bool = False

    @classmethod
    def of(cls, codes: CodeArray, window_ids: WindowIds, counts: NDArray[np.int64]) -> Segment:
        """Return a segment from codes, shape (W, 16), and the number of windows of each frame."""
        matrix = WindowMatrix.empty()
        ends = np.cumsum(counts)
        for start, stop in zip((ends - counts).tolist(), ends.tolist(), strict=True):
            matrix.append(codes[start:stop], window_ids[start:stop])
        return matrix.frozen().segments[-1]

    @classmethod
    def empty(cls) -> Segment:
        """Return a segment of no frames."""
        nothing = np.zeros(1, np.int64)
        return cls(to_planes(_NO_CODES), nothing, _NO_RUNS, nothing, nothing[:0])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each frame's windows begin, shape (F,)."""
        return self.offsets[:-1]

    @property
    def stops(self) -> NDArray[np.int64]:
        """Where those of each frame's windows end that are compared, shape (F,)."""
        return self.coarse_stops if self.only_coarse else self.offsets[1:]

    @property
    def windows(self) -> int:
        """Number of windows."""
        return int(self.offsets[-1])

    def window_ids(self, frame: int) -> WindowIds:
        """Return the ids of a frame's windows, in the order in which their codes lie."""
        return to_ids(self.id_runs[slice(*self.run_offsets[frame : frame + 2].tolist())])


_NO_RUNS, _NO_CODES = np.empty((0, 2), np.uint32), np.empty((0, CODE_BYTES), np.uint8)


def offsets_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the windows of each frame begin, and where the last frame's end, shape (F + 1,)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def coarse_first(window_ids: WindowIds) -> tuple[NDArray[np.int64], int]:
    """Return the order in which a frame's windows are kept, and how many of the first count as coarse."""
    first = coarse(window_ids)
    return np.argsort(~first, kind="stable"), min(max(int(first.sum()), LEAST_COARSE), len(window_ids))


def items_of(offsets: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of what some frames have, one frame after the other, given where each begins."""
    counts = offsets[frames + 1] - offsets[frames]
    before = np.cumsum(counts) - counts
    return np.repeat(offsets[frames] - before, counts) + np.arange(counts.sum())


def parts_of(offsets: NDArray[np.int64], frames: NDArray[np.int64]) -> Iterator[slice | NDArray[np.int64]]:
    """Yield the same for ascending frames, in parts: one slice where all are asked for."""
    if len(frames) == len(offsets) - 1:
        yield slice(0, int(offsets[-1]))
        return
    for at in range(0, len(frames), GATHERED_FRAMES):
        yield items_of(offsets, frames[at : at + GATHERED_FRAMES])


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """An immutable view of the windows of all frames.

    Parameters
    ----------
    segments : sequence of Segment
        One after the other.
    """

    segments: Sequence[Segment]

    def __len__(self) -> int:
        return sum(map(len, self.segments))

    @property
    def windows(self) -> int:
        """Number of windows, those of tombstones included."""
        return sum(segment.windows for segment in self.segments)

    def counts(self, slots: Slots) -> NDArray[np.int64]:
        """Return the number of windows of some slots, ascending."""
        return np.concatenate([np.diff(s.offsets)[frames] for s, _, frames in self.split(slots)])

    def run_counts(self, slots: Slots) -> NDArray[np.int64]:
        """Return the number of runs of ids of some slots, ascending."""
        return np.concatenate([np.diff(s.run_offsets)[frames] for s, _, frames in self.split(slots)])

    def split(self, slots: Slots) -> Iterator[tuple[Segment, int, NDArray[np.int64]]]:
        """Yield (segment, its first slot, frames in it) for ascending slots."""
        first = 0
        for segment in self.segments:
            low, high = np.searchsorted(slots, [first, first + len(segment)])
            yield segment, first, slots[low:high] - first
            first += len(segment)

    def of_slot(self, slot: int) -> tuple[CodeArray, WindowIds]:
        """Return the codes, shape (W, 16), and the ids of a frame's windows, shape (W,), by ids."""
        for segment, _, frames in self.split(np.array([slot])):
            if len(frames):
                columns = slice(*segment.offsets[frames[0] : frames[0] + 2].tolist())
                window_ids = segment.window_ids(int(frames[0]))
                order = np.argsort(window_ids, kind="stable")
                return to_codes(segment.codes, columns)[order], window_ids[order]
        raise IndexError(f"slot {slot} of {len(self)}")

    def coarse(self) -> Windows:
        """Return the coarse windows of all frames alone, for scans of frame by frame."""
        return Windows([replace(segment, only_coarse=True) for segment in self.segments])

    def coarse_counts(self, slots: Slots) -> NDArray[np.int64]:
        """Return the number of coarse windows of some slots, ascending."""
        return np.concatenate([(s.coarse_stops - s.starts)[frames] for s, _, frames in self.split(slots)])

    def nearest(self, slot: int, query: QueryCodes, bits: Bits) -> int:
        """Return the id of a frame's window nearest to the first of some codes.

        Ties go to 128 bits, then to the first.
        """
        codes, window_ids = self.of_slot(slot)
        order = first_distances(query, codes, bits) * 256 + first_distances(query, codes, 128)
        return int(window_ids[int(np.argmin(order))])


class WindowMatrix:
    """The windows of all frames, append-only. Not thread-safe; views that were handed out never change.

    Parameters
    ----------
    base : Segment
        The first frames.
    """

    def __init__(self, base: Segment) -> None:
        self._base = base
        self._source = object()
        self._codes = GrowingPlanes()
        self._offsets = GrowingArray(np.zeros(1, np.int64))
        self._runs = GrowingArray(_NO_RUNS)
        self._run_offsets = GrowingArray(np.zeros(1, np.int64))
        self._coarse_stops = GrowingArray(np.empty(0, np.int64))

    @classmethod
    def empty(cls) -> WindowMatrix:
        """Return a matrix of no frames."""
        return cls(Segment.empty())

    def append(self, codes: CodeArray, window_ids: WindowIds) -> None:
        """Add a frame; ``codes`` has shape (windows, 16)."""
        order, count = coarse_first(window_ids)
        self._coarse_stops.extend(np.array([len(self._codes) + count]))
        self._codes.extend(codes.T[:, order])
        self._offsets.extend(np.array([len(self._codes)]))
        self._runs.extend(to_runs(window_ids[order]))
        self._run_offsets.extend(np.array([len(self._runs)]))

    def extend(self, segment: Segment, frames: NDArray[np.int64]) -> None:
        """Add some frames of a segment."""
        ends = len(self._codes) + np.cumsum(np.diff(segment.offsets)[frames])
        beyond = (segment.offsets[1:] - segment.coarse_stops)[frames]
        self._coarse_stops.extend(ends - beyond)
        self._offsets.extend(ends)
        self._codes.extend(segment.codes[:, items_of(segment.offsets, frames)])
        self._run_offsets.extend(len(self._runs) + np.cumsum(np.diff(segment.run_offsets)[frames]))
        self._runs.extend(segment.id_runs[items_of(segment.run_offsets, frames)])

    def frozen(self) -> Windows:
        """Return an immutable view of the windows."""
        tail = Segment(
            self._codes.planes,
            self._offsets.values,
            self._runs.values,
            self._run_offsets.values,
            self._coarse_stops.values,
            self._source,
        )
        return Windows((self._base, tail))
