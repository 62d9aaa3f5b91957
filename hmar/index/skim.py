"""A skim: some windows of some slices, by which the distances of all frames to a query are estimated.

The distance of a frame changes slowly from slice to slice, and the windows of a coarse lattice tell much of
it. The coarse windows of all guides (:mod:`hmar.index.guides`) lie side by side, an eighth of all windows;
what lies between two guides is interpolated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hmar.index.guides import Guides, guides_of
from hmar.index.hamming import Slots, Words
from hmar.index.id_runs import to_ids
from hmar.index.planes import padded
from hmar.index.stored import ArrayParts
from hmar.index.windows import GATHERED_FRAMES, Segment, Windows, items_of, offsets_of
from hmar.values.codes import CODE_BYTES, WindowIds
from hmar.values.window_ids import coarse

LEAST_WINDOWS = 128
"""Windows of a guide, if it has as many, that are compared at least: two cache lines of each plane."""
SKIM_ARRAYS = {
    "skim_codes": ("|u1", 2),
    "skim_counts": ("<u4", 1),
    "skim_slots": ("<i4", 1),
}
"""Name of every array of guides, and of their windows' planes, with its dtype and number of axes."""
GUIDE_ARRAYS = {"guides_before": ("<i4", 1), "guides_after": ("<i4", 1), "guide_shares": ("<f4", 1)}
"""The same of the arrays that have one row for each frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Skim:
    """The skim of the first frames of a gallery. Immutable.

    Parameters
    ----------
    guides : Guides
    windows : Windows
        The coarse windows of each guide, in their order; they have no ids.
    """

    guides: Guides
    windows: Windows

    @classmethod
    def empty(cls) -> Self:
        """Return the skim of no frames."""
        nothing = np.empty(0, np.int32)
        return cls(Guides(nothing, nothing, nothing, np.empty(0, np.float32)), Windows([Segment.empty()]))

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.guides.before)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the skim of a snapshot's arrays; its codes stay where they are."""
        names = ("skim_slots", *GUIDE_ARRAYS)
        nothing = Segment.empty()
        offsets = offsets_of(arrays["skim_counts"])
        runs = np.zeros(len(offsets), np.int64)
        windows = Segment(arrays["skim_codes"], offsets, nothing.id_runs, runs)
        return cls(Guides(*(arrays[name] for name in names)), Windows([windows]))


def skim_arrays(
    series: NDArray[np.uint64], along: NDArray[np.float32], codes: Words, windows: Windows, slots: Slots
) -> dict[str, NDArray[Any] | ArrayParts]:
    """Return what a snapshot keeps of the skim of some frames.

    Parameters
    ----------
    series, along, codes : ndarray, shape (F,), (F,), (F, 2)
        Of these frames, as :func:`hmar.index.guides.guides_of` takes them.
    windows : Windows
        Of all frames.
    slots : ndarray of int64, shape (F,)
        Ascending.
    """
    guides = guides_of(series, along, windows.counts(slots), codes)
    chosen = _Chosen(windows, slots[guides.slots])
    return {
        "skim_codes": ArrayParts((CODE_BYTES, padded(chosen.total)), chosen.planes),
        "skim_counts": chosen.counts,
        "skim_slots": guides.slots,
        "guides_before": guides.before,
        "guides_after": guides.after,
        "guide_shares": guides.shares,
    }


class _Chosen:
    """The coarse windows of some frames: which they are, one bit for each of their windows."""

    def __init__(self, windows: Windows, slots: Slots) -> None:
        self._windows = windows
        self._slots = slots
        counts, self._bits = [np.empty(0, np.uint32)], list[NDArray[np.uint8]]()
        for segment, frames in self._parts():
            of_frames = np.diff(segment.offsets)[frames]
            ids = to_ids(segment.id_runs[items_of(segment.run_offsets, frames)])
            chosen = skimmed(ids, of_frames)
            self._bits.append(np.packbits(chosen))
            counts.append(np.add.reduceat(chosen, np.cumsum(of_frames) - of_frames, dtype=np.uint32))
        self.counts = np.concatenate(counts)
        self.total = int(self.counts.sum())

    def _parts(self) -> Iterator[tuple[Segment, NDArray[np.int64]]]:
        for segment, _, frames in self._windows.split(self._slots):
            for at in range(0, len(frames), GATHERED_FRAMES):
                yield segment, frames[at : at + GATHERED_FRAMES]

    def planes(self) -> Iterator[NDArray[np.uint8]]:
        """Yield their codes, plane by plane, in parts."""
        beyond = np.zeros(padded(self.total) - self.total, np.uint8)
        for plane in range(CODE_BYTES):
            for (segment, frames), bits in zip(self._parts(), self._bits, strict=True):
                columns = items_of(segment.offsets, frames)
                yield segment.codes[plane, columns[np.unpackbits(bits, count=len(columns)) > 0]]
            yield beyond


def skimmed(window_ids: WindowIds, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which windows are compared of frames that have so many each, at least one.

    These are the coarse ones, and where they are fewer than ``LEAST_WINDOWS``, as many of the others, the
    first ones.
    """
    chosen = coarse(window_ids)
    starts = np.cumsum(counts) - counts
    lacking = np.maximum(LEAST_WINDOWS - np.add.reduceat(chosen, starts, dtype=np.int64), 0)
    others = np.cumsum(~chosen)
    before = others[starts] - ~chosen[starts]
    fills: NDArray[np.bool_] = others - np.repeat(before, counts) <= np.repeat(lacking, counts)
    return chosen | (fills & ~chosen)
