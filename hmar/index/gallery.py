"""All that is searched, held together: frames, their windows, and FAISS over their global codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hmar.index.distances import fused_distance
from hmar.index.flat import FlatIndex
from hmar.index.frames import FrameTable
from hmar.index.hamming import Slots, code_words
from hmar.index.scan import Scanner
from hmar.index.windows import Segment, WindowMatrix, Windows
from hmar.values.codes import Bits, CodeArray, EncodedFrame, Query
from hmar.values.selection import Selection

_MUCH = 4
"""A selection of more than one frame in so many is much."""
_MORE = 8
"""So many times k frames most likely have k of much of all, or of k groups, among them."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """The frames and their codes at one moment. Never changes, so that any number of threads may read it.

    Parameters
    ----------
    frames : FrameTable
        One row for each frame, tombstones included; of the gallery's own.
    windows : Windows
        Their windows, by the same slots.
    flat : FlatIndex
        Global codes of the first slots; those after them are compared one by one.
    live_frames, live_windows : int
        How many may be found.
    """

    frames: FrameTable
    windows: Windows
    flat: FlatIndex
    live_frames: int
    live_windows: int

    def selected(self, selection: Selection) -> Slots | None:
        """Return the slots that may be found, ascending; None for all there are."""
        if selection == Selection() and self.live_frames == len(self.frames):
            return None
        return self.frames.selected(selection)

    def slots(self, selection: Selection) -> Slots:
        """Return the slots that may be found, ascending."""
        slots = self.selected(selection)
        return np.arange(len(self.frames)) if slots is None else slots

    def nearest_global(self, code: CodeArray, k: int, bits: Bits, selection: Selection) -> Slots:
        """Return selected slots, in no order: all that are not farther than the k-th nearest, and others.

        FAISS knows no filter that costs less than comparing what is selected. Where that is much, the nearest
        of all most likely have k of the selected (or k groups) among them; else the caller compares them all.
        """
        slots, base = self.selected(selection), len(self.flat)
        if slots is None:
            return np.concatenate([self.flat.candidates(code, k, bits), np.arange(base, len(self.frames))])
        if len(slots) * _MUCH > len(self.frames):
            fitting = _among(slots, self.flat.candidates(code, _MORE * k, bits))
            if self._groups(fitting, selection) >= k:
                return np.concatenate([fitting, slots[slots >= base]])
        return slots

    def nearest_windows(
        self, scanner: Scanner, queries: CodeArray, k: int, bits: Bits, selection: Selection
    ) -> Slots:
        """Return selected slots with windows, in no order: all not farther than the k-th nearest, or group.

        Neighbours of a slice look like it, so that the k nearest are seldom of k groups. To ask for more of
        them at once costs far less than a second pass.
        """
        slots = self.selected(selection)
        asked = k if selection.group_by is None else _MORE * k
        while True:
            near = scanner.nearest(self.windows, queries, asked, bits, slots)[0]
            if len(near) < asked or self._groups(near, selection) >= k:
                return near
            asked *= _MORE

    def _groups(self, slots: Slots, selection: Selection) -> int:
        """Count the groups of some slots; the slots themselves where a selection has none."""
        if selection.group_by is None:
            return len(slots)
        return len(np.unique(self.frames.groups(selection.group_by, slots)))

    def global_distances(self, slots: Slots, code: CodeArray, bits: Bits) -> NDArray[np.float64]:
        """Return the global distance of some slots, shape (len(slots),)."""
        return self.frames.distances(slots, code_words(code), bits).astype(np.float64)

    def local_distances(
        self, scanner: Scanner, slots: Slots, queries: CodeArray, bits: Bits
    ) -> NDArray[np.float64]:
        """Return the local distance of some slots to query windows, shape (Q, 16); NaN without windows."""
        distances = np.full(len(slots), np.nan)
        if len(queries) and len(slots):
            order = np.argsort(slots)
            found, sums = scanner.sums(self.windows, queries, bits, slots[order])
            distances[order[np.searchsorted(slots[order], found)]] = sums / len(queries)
        return distances

    def fused_distances(
        self, scanner: Scanner, slots: Slots, query: Query, bits: Bits
    ) -> NDArray[np.float64]:
        """Return the gate-weighted distance of some slots; the global one where there are no windows."""
        whole = self.global_distances(slots, query.global_code, bits)
        local = self.local_distances(scanner, slots, query.window_codes, bits)
        return np.where(np.isnan(local), whole, fused_distance(query.gate, whole, local))


def _among(slots: Slots, found: Slots) -> Slots:
    """Return those of ``found`` that are among ascending ``slots``, of which there is one at least."""
    there: Slots = found[slots[np.searchsorted(slots, found).clip(max=len(slots) - 1)] == found]
    return there


class GrowingGallery:
    """A gallery that frames are added to and removed from. Not thread-safe.

    Parameters
    ----------
    frames : FrameTable
        The first frames, without tombstones.
    windows : Segment
        Their windows, by the same slots.
    """

    def __init__(self, frames: FrameTable, windows: Segment) -> None:
        self._frames = frames
        self._windows = WindowMatrix(windows)
        self._flat = FlatIndex(np.ascontiguousarray(frames.global_words).view(np.uint8).reshape(-1, 16))
        self._live_frames, self._live_windows = len(frames), windows.windows

    @classmethod
    def empty(cls) -> GrowingGallery:
        """Return a gallery of nothing."""
        nothing = np.empty(0, np.int64)
        return cls(
            FrameTable.empty(), Segment.of(np.empty((0, 16), np.uint8), np.empty(0, np.uint32), nothing)
        )

    def frozen(self) -> Gallery:
        """Return the gallery as it is now."""
        return Gallery(
            self._frames.frozen(), self._windows.frozen(), self._flat, self._live_frames, self._live_windows
        )

    def add(self, rows: Sequence[tuple[int, str, EncodedFrame]]) -> None:
        """Add frames as (entry id, collection, codes), with growing entry ids."""
        if not rows:
            return
        self._frames.extend(rows)
        for _, _, encoded in rows:
            self._windows.append(encoded.window_codes, encoded.window_ids)
            self._live_frames += 1
            self._live_windows += len(encoded.window_ids)

    def extend(self, other: Gallery, slots: Slots) -> None:
        """Add some frames of another gallery, whose entry ids are larger than all before."""
        self._frames.take(other.frames, slots)
        for segment, _, frames in other.windows.split(slots):
            self._windows.extend(segment, frames)
        self._live_frames += len(slots)
        self._live_windows += int(other.windows.counts(slots).sum())

    def remove(self, entry_ids: Sequence[int]) -> None:
        """Make tombstones of those entries that are there."""
        slots = self._frames.slots(np.unique(np.array(entry_ids, np.int64)))
        if len(slots):
            self._frames.remove(slots)
            self._live_frames -= len(slots)
            self._live_windows -= int(self._windows.frozen().counts(slots).sum())
