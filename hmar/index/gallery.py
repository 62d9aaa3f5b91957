"""All that is searched, held together: frames, their windows, and FAISS over their global codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hmar.index.distances import fused_distance
from hmar.index.flat import FlatIndex
from hmar.index.frames import FrameTable
from hmar.index.hamming import NO_WINDOWS, Slots, Words
from hmar.index.windows import WindowMatrix
from hmar.types import Bits, EncodedFrame, Selection

_DEAD_SHARE = 0.25
"""Tombstones are dropped when they are more than this share of the frames, or of the windows."""
_MUCH = 4
"""A selection of more than one frame in so many is much."""


class Gallery:
    """The live frames and their codes. Not thread-safe: the adapter around it holds the lock.

    Parameters
    ----------
    frames : FrameTable
        One row for each frame, without tombstones.
    windows : WindowMatrix
        Their windows, by the same slots.
    """

    def __init__(self, frames: FrameTable, windows: WindowMatrix) -> None:
        self.frames = frames
        self.windows = windows
        self._flat = FlatIndex()
        self._dead_windows = 0
        if len(frames):
            self._flat.add(frames.entry_ids, np.ascontiguousarray(frames.global_words).view(np.uint8))

    @classmethod
    def empty(cls) -> Gallery:
        """Return a gallery of nothing."""
        return cls(FrameTable.empty(), WindowMatrix.empty())

    @property
    def live_frames(self) -> int:
        """Frames that may be found."""
        return len(self._flat)

    @property
    def live_windows(self) -> int:
        """Windows of frames that may be found."""
        return len(self.windows.window_ids) - self._dead_windows

    def add(self, rows: Sequence[tuple[int, str, EncodedFrame]]) -> None:
        """Add frames as (entry id, collection, codes), with growing entry ids."""
        if not rows:
            return
        self.frames.extend(rows)
        for _, _, encoded in rows:
            self.windows.append(encoded.window_codes, encoded.window_ids)
        entry_ids = np.array([entry_id for entry_id, _, _ in rows], np.int64)
        self._flat.add(entry_ids, np.stack([encoded.global_code for _, _, encoded in rows]))

    def remove(self, entry_ids: Sequence[int]) -> None:
        """Remove those entries that are there; compact when more than a quarter is dead."""
        slots = self.frames.slots(np.unique(np.array(entry_ids, np.int64)))
        if not len(slots):
            return
        self._flat.remove(self.frames.entry_ids[slots])
        self.frames.remove(slots)
        self._dead_windows += int(self.windows.counts[slots].sum())
        frames, windows = len(self.frames), len(self.windows.window_ids)
        if frames - self.live_frames > _DEAD_SHARE * frames or self._dead_windows > _DEAD_SHARE * windows:
            self.compact()

    def compact(self) -> None:
        """Drop the tombstones and their windows."""
        slots = np.flatnonzero(self.frames.live)
        if len(slots) < len(self.frames):
            self.frames, self.windows = self.frames.kept(slots), self.windows.kept(slots)
            self._dead_windows = 0

    def nearest_global(self, code: NDArray[np.uint8], k: int, bits: Bits, selection: Selection) -> Slots:
        """Return selected slots, in no order: all that are not farther than the k-th nearest, and others.

        FAISS knows no filter that costs less than comparing what is selected. Where that is much, the nearest
        of all most likely have k of the selected (or k groups) among them; else the caller compares them all.
        """
        if selection == Selection():
            return self.frames.slots(self._flat.candidates(code, k, bits))
        slots = self.frames.selected(selection)
        if len(slots) * _MUCH > len(self.frames):
            near = np.sort(self.frames.slots(self._flat.candidates(code, 2 * _MUCH * k, bits)))
            fitting: Slots = near[slots[np.searchsorted(slots, near).clip(max=len(slots) - 1)] == near]
            if self._groups(fitting, selection) >= k:
                return fitting
        return slots

    def _groups(self, slots: Slots, selection: Selection) -> int:
        """Count the groups of some slots; the slots themselves where a selection has none."""
        if selection.group_by is None:
            return len(slots)
        return len(np.unique(self.frames.groups(selection.group_by, slots)))

    def global_distances(self, slots: Slots, query: Words, bits: Bits) -> NDArray[np.float64]:
        """Return the global distance of some slots, shape (len(slots),)."""
        return self.frames.distances(slots, query, bits).astype(np.float64)

    def local_distances(self, slots: Slots, queries: Words, bits: Bits) -> NDArray[np.float64]:
        """Return the local distance of some slots to query windows, shape (Q, 2); NaN without windows."""
        # Gathering costs more than the pass over all, unless few are asked for.
        whole = len(slots) * 3 > len(self.frames)
        sums = np.zeros(len(slots), np.int64)
        without = np.full(len(slots), not len(queries))
        for query in queries:
            minima = (
                self.windows.minima(query, bits)[slots]
                if whole
                else self.windows.minima_of(slots, query, bits)
            )
            without |= minima == NO_WINDOWS
            sums += minima
        return np.where(without, np.nan, sums / max(len(queries), 1))

    def fused_distances(
        self, slots: Slots, query: Words, queries: Words, gate: tuple[float, float], bits: Bits
    ) -> NDArray[np.float64]:
        """Return the gate-weighted distance of some slots; the global one where there are no windows."""
        whole = self.global_distances(slots, query, bits)
        local = self.local_distances(slots, queries, bits)
        return np.where(np.isnan(local), whole, fused_distance(gate, whole, local))
