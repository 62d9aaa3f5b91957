"""What is searched: the frame table, the windows of its frames, and FAISS over their global codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hmar.index.distances import fused_distance
from hmar.index.flat import FlatIndex
from hmar.index.frames import FrameTable
from hmar.index.hamming import Slots, code_words
from hmar.index.scanning import WindowScanner
from hmar.index.skim import Skim
from hmar.index.weighted import QueryCodes, WeightedCodes, unit_of, whole_of, windows_of
from hmar.index.windows import Segment, WindowMatrix, Windows
from hmar.values.codes import Bits, EncodedFrame, Query
from hmar.values.selection import Selection

_BROAD = 4
"""A selection larger than a quarter of the gallery counts as broad."""
_OVER_FETCH = 8
"""Over-fetch factor: the 8k nearest frames almost always hold k that pass a broad filter, or k groups."""


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """An immutable view of the frames and their codes, which any number of threads may read.

    Parameters
    ----------
    frames : FrameTable
        One row per frame, tombstones included; not shared with another gallery.
    windows : Windows
        Their windows, by the same slots.
    flat : FlatIndex
        Over the global codes of the first slots; later slots are compared without it.
    skim : Skim
        Of the first slots.
    live_frames, live_windows : int
        Without tombstones.
    """

    frames: FrameTable
    windows: Windows
    flat: FlatIndex
    skim: Skim
    live_frames: int
    live_windows: int

    def selected(self, selection: Selection) -> Slots | None:
        """Return the slots that may be found, ascending; None for all there are."""
        anything = replace(selection, as_of=None) == Selection() and self._none_after(selection.as_of)
        if anything and self.live_frames == len(self.frames):
            return None
        return self.frames.selected(selection)

    def _none_after(self, as_of: int | None) -> bool:
        return as_of is None or not len(self.frames) or int(self.frames.entry_ids[-1]) <= as_of

    def slots(self, selection: Selection) -> Slots:
        """Return the slots that may be found, ascending."""
        slots = self.selected(selection)
        return np.arange(len(self.frames)) if slots is None else slots

    def nearest_global(self, code: QueryCodes, k: int, bits: Bits, selection: Selection) -> Slots:
        """Return candidate slots, unordered: all selected ones up to the k-th nearest, and maybe others.

        FAISS has no filter that is cheaper than comparing the selected codes. For a broad selection the 8k
        nearest of all codes are fetched, which almost always hold k that are selected (or k groups);
        otherwise the whole selection is returned. FAISS knows no weights of bits either.
        """
        if isinstance(code, WeightedCodes):
            return self.slots(selection)
        slots, base = self.selected(selection), len(self.flat)
        if slots is None:
            return np.concatenate([self.flat.candidates(code[0], k, bits), np.arange(base, len(self.frames))])
        if len(slots) * _BROAD > len(self.frames):
            fitting = _among(slots, self.flat.candidates(code[0], _OVER_FETCH * k, bits))
            if self._groups(fitting, selection) >= k:
                return np.concatenate([fitting, slots[slots >= base]])
        return slots

    def nearest_windows(
        self, scanner: WindowScanner, queries: QueryCodes, k: int, bits: Bits, selection: Selection
    ) -> Slots:
        """Return candidate slots with windows, unordered: all selected ones up to the k-th nearest, or group.

        Adjacent slices look alike, so the k nearest frames seldom belong to k groups. Over-fetching costs far
        less than a second pass.
        """
        slots = self.selected(selection)
        asked = k if selection.group_by is None else _OVER_FETCH * k
        while True:
            near = scanner.nearest(self.windows, queries, asked, bits, slots)[0]
            if len(near) < asked or self._groups(near, selection) >= k:
                return near
            asked *= _OVER_FETCH

    def _groups(self, slots: Slots, selection: Selection) -> int:
        """Count the groups among some slots, or the slots where the selection does not group."""
        if selection.group_by is None:
            return len(slots)
        return len(np.unique(self.frames.groups(selection.group_by, slots)))

    def global_distances(self, slots: Slots, code: QueryCodes, bits: Bits) -> NDArray[np.float64]:
        """Return the global distance of some slots to one code, shape (len(slots),)."""
        if isinstance(code, WeightedCodes):
            return code.distances(self.frames.global_codes(slots), bits) / unit_of(code)
        return self.frames.distances(slots, code_words(code[0]), bits).astype(np.float64)

    def estimated_distances(
        self, scanner: WindowScanner, slots: Slots, queries: QueryCodes, bits: Bits
    ) -> NDArray[np.float64]:
        """Estimate the local distance of some slots, ascending, to Q query windows; NaN without windows.

        Slots beyond the skim are measured.
        """
        known = int(np.searchsorted(slots, len(self.skim)))
        guides, early = self.skim.guides, slots[:known]
        before, after = guides.before[early], guides.after[early]
        asked = np.zeros(len(guides.slots) + 1, np.bool_)
        asked[before] = asked[after] = True  # -1, for a frame without windows, is the one beyond all guides
        found, sums = scanner.processor.sums(self.skim.windows, queries, bits, np.flatnonzero(asked[:-1]))
        distances = np.full(len(asked), np.nan, np.float32)
        distances[found] = sums / (len(queries) * unit_of(queries))
        first = distances[before]
        estimates = first + guides.shares[early] * (distances[after] - first)
        return np.concatenate([estimates, self.local_distances(scanner, slots[known:], queries, bits)])

    def local_distances(
        self, scanner: WindowScanner, slots: Slots, queries: QueryCodes, bits: Bits
    ) -> NDArray[np.float64]:
        """Return the local distance of some slots to Q query windows; NaN without windows."""
        distances = np.full(len(slots), np.nan)
        if len(queries) and len(slots):
            order = np.argsort(slots)
            found, sums = scanner.sums(self.windows, queries, bits, slots[order])
            distances[order[np.searchsorted(slots[order], found)]] = sums / (len(queries) * unit_of(queries))
        return distances

    def fused_distances(
        self, scanner: WindowScanner, slots: Slots, query: Query, bits: Bits
    ) -> NDArray[np.float64]:
        """Return the gate-weighted distance of some slots; the global one where there are no windows."""
        whole = self.global_distances(slots, whole_of(query), bits)
        local = self.local_distances(scanner, slots, windows_of(query), bits)
        return np.where(np.isnan(local), whole, fused_distance(query.gate, whole, local))


def _among(slots: Slots, found: Slots) -> Slots:
    """Return the members of ``found`` that occur in ``slots``, which is ascending and not empty."""
    there: Slots = found[slots[np.searchsorted(slots, found).clip(max=len(slots) - 1)] == found]
    return there


class GrowingGallery:
    """A gallery that frames can be added to and removed from. Not thread-safe.

    Parameters
    ----------
    frames : FrameTable
        The first frames, without tombstones.
    windows : Segment
        Their windows, by the same slots.
    skim : Skim
        Of them.
    """

    def __init__(self, frames: FrameTable, windows: Segment, skim: Skim) -> None:
        self._frames = frames
        self._windows = WindowMatrix(windows)
        self._skim = skim
        self._flat = FlatIndex(np.ascontiguousarray(frames.global_words).view(np.uint8).reshape(-1, 16))
        self._live_frames, self._live_windows = len(frames), windows.windows

    @classmethod
    def empty(cls) -> GrowingGallery:
        """Return an empty gallery."""
        return cls(FrameTable.empty(), Segment.empty(), Skim.empty())

    def frozen(self) -> Gallery:
        """Return an immutable view of the current state."""
        return Gallery(
            self._frames.frozen(),
            self._windows.frozen(),
            self._flat,
            self._skim,
            self._live_frames,
            self._live_windows,
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
        """Mark entries as removed (tombstones); unknown ones are ignored."""
        slots = self._frames.slots(np.unique(np.array(entry_ids, np.int64)))
        if len(slots):
            self._frames.remove(slots)
            self._live_frames -= len(slots)
            self._live_windows -= int(self._windows.frozen().counts(slots).sum())
