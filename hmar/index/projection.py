"""What an index has applied of the log, how that is written as a snapshot, and how it moves onto one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.frames import FrameTable
from hmar.index.gallery import Gallery, GrowingGallery
from hmar.index.id_runs import IdRuns
from hmar.index.planes import padded
from hmar.index.skim import Skim, skim_arrays
from hmar.index.snapshot import Generation, Snapshot
from hmar.index.stored import ArrayParts
from hmar.index.windows import Segment, Windows, offsets_of, parts_of


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A gallery, the last log row that is in it, that row's mark, and the last delete. Immutable."""

    gallery: Gallery
    seq: int
    mark: str
    deleted_seq: int


def gallery_of(generation: Generation) -> GrowingGallery:
    """Return the gallery of a generation; its windows stay memory-mapped."""
    arrays = generation.arrays
    frames = FrameTable(arrays, generation.texts)
    # Offsets are private memory: whatever happens to the file, no scan reads beyond the codes.
    offsets, run_offsets = offsets_of(arrays["window_counts"]), offsets_of(arrays["id_run_counts"])
    windows = Segment(arrays["window_codes"], offsets, arrays["id_runs"], run_offsets)
    return GrowingGallery(frames, windows, Skim.from_arrays(arrays))


def snapshot_of(projection: Projection) -> Snapshot:
    """Return the snapshot to write: without tombstones, its windows produced while they are written."""
    gallery = projection.gallery
    slots = np.flatnonzero(gallery.frames.live)
    frames, windows = gallery.frames.kept(slots), gallery.windows
    counts, run_counts = windows.counts(slots), windows.run_counts(slots)
    total = int(counts.sum())
    arrays: dict[str, NDArray[Any] | ArrayParts] = {
        **frames.arrays,
        "window_counts": counts,
        "window_codes": ArrayParts((16, padded(total)), lambda: _codes(windows, slots, total)),
        **skim_arrays(frames.arrays["series"], frames.arrays["along"], frames.global_words, windows, slots),
        "id_run_counts": run_counts,
        "id_runs": ArrayParts((int(run_counts.sum()), 2), lambda: _id_runs(windows, slots)),
    }
    return Snapshot(projection.seq, projection.mark, frames.texts, arrays, projection.deleted_seq)


def _codes(windows: Windows, slots: NDArray[np.int64], total: int) -> Iterator[NDArray[np.uint8]]:
    beyond = np.zeros(padded(total) - total, np.uint8)
    for plane in range(16):
        for segment, _, frames in windows.split(slots):
            for part in parts_of(segment.offsets, frames):
                yield segment.codes[plane, part]
        yield beyond


def _id_runs(windows: Windows, slots: NDArray[np.int64]) -> Iterator[IdRuns]:
    for segment, _, frames in windows.split(slots):
        for part in parts_of(segment.run_offsets, frames):
            yield segment.id_runs[part]


def moved(current: Projection, generation: Generation) -> GrowingGallery | None:
    """Move the in-memory index onto an on-disk snapshot of the same log; keep in memory only what it lacks.

    Frames deleted since the snapshot become tombstones; frames added since become its tail.

    Returns
    -------
    GrowingGallery or None
        None if the generation lacks a frame that it should hold.
    """
    gallery = current.gallery
    slots = np.flatnonzero(gallery.frames.live)
    entry_ids = gallery.frames.entry_ids[slots]
    later = slots[entry_ids > generation.seq]
    based = generation.arrays["entry_ids"]
    kept = np.isin(based, entry_ids, assume_unique=True)
    if int(kept.sum()) + len(later) != len(slots):
        return None
    growing = gallery_of(generation)
    growing.remove(based[~kept].tolist())
    growing.extend(gallery, later)
    return growing
