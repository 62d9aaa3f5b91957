"""The index that lives in the searching process: exact, in memory, with verified snapshots on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.frames import FrameTable
from hmar.index.gallery import Gallery
from hmar.index.grouping import first_of_each, within_reach
from hmar.index.hamming import Slots, code_words
from hmar.index.snapshot import Snapshot, SnapshotStore
from hmar.index.windows import WindowMatrix
from hmar.types import Bits, CodeHit, GroupBy, IndexStats, LogRow, Query, Selection

_Measure = Callable[[Slots, Bits], NDArray[np.float64]]


class EmbeddedIndex:
    """A :class:`hmar.ports.CodeIndex` over FAISS and the window matrix. Thread-safe: one call at a time.

    Parameters
    ----------
    root : Path
        Folder of the snapshots. The newest that is intact is loaded.
    model_fingerprint : str
        Rows and snapshots of other models change nothing.
    """

    def __init__(self, root: Path, model_fingerprint: str) -> None:
        self._model_fingerprint = model_fingerprint
        self._lock = threading.Lock()
        self._store = SnapshotStore(root, model_fingerprint)
        self._empty()
        snapshot = self._store.load()
        if snapshot is not None:
            self._gallery = _gallery(snapshot)
            self._last_seq, self._last_mark = snapshot.seq, snapshot.mark

    def apply(self, rows: Sequence[LogRow]) -> None:
        """Apply log rows in order; rows at or below the last one applied change nothing."""
        with self._lock:
            new = [row for row in rows if row.seq > self._last_seq]
            try:
                for kind, run in groupby(new, key=lambda row: row.kind):
                    if kind == "delete":
                        self._gallery.remove([row.entry_id for row in run])
                    else:
                        self._add(run)
            except BaseException:
                # Out of memory, say: frames and windows may not match now; wrong hits are worse than none.
                self._empty()
                raise
            if new:
                self._last_seq, self._last_mark = new[-1].seq, new[-1].mark

    def _empty(self) -> None:
        self._gallery, self._last_seq, self._last_mark = Gallery.empty(), 0, ""

    def _add(self, rows: Iterable[LogRow]) -> None:
        self._gallery.add(
            [
                (row.entry_id, row.collection, row.encoded)
                for row in rows
                if row.encoded is not None and row.encoded.model_fingerprint == self._model_fingerprint
            ]
        )

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the nearest global code."""
        word = code_words(query.global_code)
        with self._lock:
            gallery = self._gallery
            if k < 1:
                return []
            slots = gallery.nearest_global(query.global_code, k, bits, selection)
            return self._best(
                query, slots, lambda s, b: gallery.global_distances(s, word, b), k, bits, selection.group_by
            )

    def search_windows(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest local distance; entries without windows are left out."""
        words = code_words(query.window_codes)
        with self._lock:
            gallery = self._gallery
            slots = gallery.frames.selected(selection)
            slots = slots[gallery.windows.counts[slots] > 0] if len(words) else slots[:0]
            return self._best(
                query, slots, lambda s, b: gallery.local_distances(s, words, b), k, bits, selection.group_by
            )

    def search_fused(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest gate-weighted sum of both distances."""
        word, words = code_words(query.global_code), code_words(query.window_codes)
        with self._lock:
            gallery = self._gallery
            slots = gallery.frames.selected(selection)
            return self._best(
                query,
                slots,
                lambda s, b: gallery.fused_distances(s, word, words, query.gate, b),
                k,
                bits,
                selection.group_by,
            )

    def count(self, selection: Selection) -> int:
        """Return how many entries may be found."""
        with self._lock:
            return len(self._gallery.frames.selected(selection))

    def _best(
        self, query: Query, slots: Slots, measure: _Measure, k: int, bits: Bits, group_by: GroupBy | None
    ) -> list[CodeHit]:
        """Rank slots by distance at ``bits``, at 128 bits (of those still in reach), and by entry.

        Of each group the first alone is kept.
        """
        distances = measure(slots, bits)
        if not len(slots) or k < 1:
            return []
        frames = self._gallery.frames
        groups = None if group_by is None else frames.groups(group_by, slots)
        reach = np.flatnonzero(within_reach(distances, k, groups))
        slots, distances = slots[reach], distances[reach]
        full = distances if bits == 128 else measure(slots, 128)
        order = np.lexsort((frames.entry_ids[slots], full, distances))
        if groups is not None:
            order = order[first_of_each(groups[reach][order])]
        return self._hits(query, slots[order[:k]], bits)

    def _hits(self, query: Query, slots: Slots, bits: Bits) -> list[CodeHit]:
        gallery, words = self._gallery, code_words(query.window_codes)
        whole = gallery.global_distances(slots, code_words(query.global_code), bits)
        local = gallery.local_distances(slots, words, bits)
        return [
            CodeHit(
                int(gallery.frames.entry_ids[slot]),
                int(whole[i]),
                float(bits) if np.isnan(local[i]) else float(local[i]),
                None if np.isnan(local[i]) else gallery.windows.nearest(int(slot), words[0], bits),
            )
            for i, slot in enumerate(slots)
        ]

    def clear(self) -> None:
        """Forget everything, and put the snapshots where they are not loaded again."""
        with self._lock:
            self._empty()
        self._store.discard()

    def stats(self) -> IndexStats:
        """Return what the index holds."""
        with self._lock:
            frames, windows = self._gallery.live_frames, self._gallery.live_windows
            return IndexStats(frames, windows, self._last_seq, self._last_mark, self._model_fingerprint)

    def snapshot(self) -> None:
        """Write a verified snapshot, unless another process is writing one; searches go on meanwhile."""
        with self._lock:
            self._gallery.compact()
            # Views of the arrays as they are now: rows that are appended while writing are not in them.
            snapshot = _snapshot(self._gallery, self._last_seq, self._last_mark)
        self._store.write(snapshot)


def _snapshot(gallery: Gallery, seq: int, mark: str) -> Snapshot:
    frames, windows = gallery.frames, gallery.windows
    first, second = windows.planes
    arrays: dict[str, NDArray[Any]] = {
        **frames.arrays,
        "window_counts": windows.counts,
        "window_first": first,
        "window_second": second,
        "window_ids": windows.window_ids,
    }
    return Snapshot(seq, mark, frames.texts, arrays)


def _gallery(snapshot: Snapshot) -> Gallery:
    arrays = snapshot.arrays
    frames = FrameTable(arrays, snapshot.texts)
    windows = WindowMatrix(
        arrays["window_first"], arrays["window_second"], arrays["window_ids"], arrays["window_counts"]
    )
    return Gallery(frames, windows)
