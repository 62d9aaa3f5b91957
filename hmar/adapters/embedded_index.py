"""The index inside the searching process: exact, in memory that processes share, with snapshots on disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hmar.errors import SnapshotError
from hmar.index.fast_search import FastSearch
from hmar.index.gallery import Gallery, GrowingGallery
from hmar.index.grouping import first_of_each, within_cutoff
from hmar.index.hamming import Slots
from hmar.index.interaction import GroupSearch
from hmar.index.no_snapshots import NoSnapshots
from hmar.index.projection import Projection, gallery_of, moved, snapshot_of
from hmar.index.scan import Scanner
from hmar.index.scanning import WindowScanner
from hmar.index.snapshot import Generation, SnapshotStore
from hmar.index.weighted import parts_of, whole_of, windows_of
from hmar.ports import IndexStats
from hmar.values.codes import Bits, Query
from hmar.values.entries import LogRow
from hmar.values.fast import FAST_FROM, FastHits
from hmar.values.groups import CodeGroup, FrameCodes, GroupQuery
from hmar.values.hits import CodeHit, Match, Mode
from hmar.values.selection import GroupBy, Selection

CHECK_EVERY_S = 3600.0
"""The snapshot in use is verified again after this long."""

_MARKS_KEPT = 1 << 16
_Measure = Callable[[Slots, Bits], NDArray[np.float64]]
_log = logging.getLogger(__name__)


class EmbeddedIndex:
    """A :class:`hmar.ports.CodeIndex` over FAISS and the window scan.

    Thread-safe. Searches run on the state published last and never wait; rows are applied meanwhile, one
    batch at a time, and published at the end of the batch.

    Parameters
    ----------
    root : Path or None
        Folder of the snapshots. The newest that is intact is mapped. None keeps no snapshots.
    model_fingerprint : str
        Rows and snapshots of other models change nothing.
    threads : int
        Threads of one search.
    compiled : bool
        False to scan with numpy in place of compiled kernels.
    checked : bool
        False to use a snapshot once its sizes are right, before :meth:`check` has verified it.
    clock : callable
        Returns seconds that only grow; a snapshot is checked again after ``CHECK_EVERY_S`` of them.
    scanner : WindowScanner or None
        Scans windows, and is closed with the index. None for the processor, on so many threads.
    fast_from : int
        Windows of the snapshot that may be found from which a fast search is not exact.
    """

    def __init__(
        self,
        root: Path | None,
        model_fingerprint: str,
        threads: int = 1,
        compiled: bool = True,
        checked: bool = True,
        clock: Callable[[], float] = time.monotonic,
        scanner: WindowScanner | None = None,
        fast_from: int = FAST_FROM,
    ) -> None:
        self._fast_from = fast_from
        self._clock = clock
        self._model_fingerprint = model_fingerprint
        self._scanner: WindowScanner = Scanner(threads, compiled) if scanner is None else scanner
        self._writing = threading.Lock()
        self._keeping = threading.Lock()
        self._purged = True
        self._keeps_snapshots = root is not None
        self._store = NoSnapshots() if root is None else SnapshotStore(root, model_fingerprint)
        self._load(checked)

    def apply(self, rows: Sequence[LogRow]) -> None:
        """Apply log rows in order; rows at or below the last one applied change nothing."""
        with self._writing:
            new = [row for row in rows if row.seq > self._published.seq]
            if not new:
                return
            try:
                for kind, run in groupby(new, key=lambda row: row.kind):
                    if kind == "delete":
                        deletes = list(run)
                        self._gallery.remove([row.entry_id for row in deletes])
                        self._deleted_seq = deletes[-1].seq
                    else:
                        self._add(run)
            except BaseException:
                # Out of memory, say. Frames and windows may not match now: wrong hits are worse than none.
                self._empty()
                raise
            self._marks.extend((row.seq, row.mark) for row in new)
            self._publish(new[-1].seq, new[-1].mark)

    def _add(self, rows: Iterable[LogRow]) -> None:
        self._gallery.add(
            [
                (row.entry_id, row.collection, row.encoded)
                for row in rows
                if row.encoded is not None and row.encoded.model_fingerprint == self._model_fingerprint
            ]
        )

    def _publish(self, seq: int, mark: str) -> None:
        self._published: Projection = Projection(self._gallery.frozen(), seq, mark, self._deleted_seq)

    def _empty(self) -> None:
        self._start(GrowingGallery.empty(), None, 0)
        self._publish(0, "")

    def _start(self, gallery: GrowingGallery, base: Generation | None, deleted_seq: int) -> None:
        self._gallery = gallery
        self._base = base
        self._deleted_seq = deleted_seq
        self._checked_at: float | None = None
        self._marks: deque[tuple[int, str]] = deque(maxlen=_MARKS_KEPT)

    def _load(self, checked: bool) -> None:
        """Start from the newest generation that is intact, or from nothing."""
        generation = self._store.load(checked)
        if generation is None:
            self._empty()
            return
        self._start(gallery_of(generation), generation, generation.deleted_seq)
        self._checked_at = self._clock() if checked else None
        self._publish(generation.seq, generation.mark)

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the nearest global code."""
        gallery = self._published.gallery
        if k < 1:
            return []
        code = whole_of(query)
        slots = gallery.nearest_global(code, k, bits, selection)
        return self._best(
            gallery,
            query,
            slots,
            lambda s, b: gallery.global_distances(s, code, b),
            k,
            bits,
            selection.group_by,
        )

    def search_windows(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest local distance; entries without windows are left out."""
        gallery, scanner, windows = self._published.gallery, self._scanner, windows_of(query)
        if k < 1 or not len(windows):
            return []
        slots = gallery.nearest_windows(scanner, windows, k, bits, selection)
        return self._best(
            gallery,
            query,
            slots,
            lambda s, b: gallery.local_distances(scanner, s, windows, b),
            k,
            bits,
            selection.group_by,
        )

    def search_fused(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest gate-weighted sum of both distances."""
        gallery, scanner = self._published.gallery, self._scanner
        if k < 1:
            return []
        slots = gallery.slots(selection)
        return self._best(
            gallery,
            query,
            slots,
            lambda s, b: gallery.fused_distances(scanner, s, query, b),
            k,
            bits,
            selection.group_by,
        )

    def search_fast(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection
    ) -> FastHits | None:
        """Return most of the k nearest entries; None where the exact search costs no more."""
        if mode == "global" or k < 1 or self._scanner.gpu_windows():
            return None
        gallery = self._published.gallery
        search = FastSearch(gallery, self._scanner, query, mode, bits)
        found = search.candidates(k, selection, self._fast_from)
        if found is None:
            return None
        hits = self._best(gallery, query, found.slots, search.distances, k, bits, selection.group_by)
        return FastHits(hits, found.thoroughness)

    def search_groups(self, query: GroupQuery, k: int, bits: Bits, selection: Selection) -> list[CodeGroup]:
        """Return the k nearest groups of a selection that groups: series, studies or patients."""
        return GroupSearch(self._published.gallery, self._scanner, query).nearest(k, bits, selection)

    def codes(self, entry_ids: Sequence[int], selection: Selection) -> list[FrameCodes]:
        """Return the codes of those entries that may be found, in the order given."""
        gallery = self._published.gallery
        slots = gallery.frames.slots(np.array(entry_ids, np.int64))
        if (selected := gallery.selected(selection)) is not None:
            slots = slots[np.isin(slots, selected)]
        return [
            FrameCodes(int(gallery.frames.entry_ids[slot]), code, *gallery.windows.of_slot(slot))
            for slot, code in zip(slots.tolist(), gallery.frames.global_codes(slots), strict=True)
        ]

    def count(self, selection: Selection) -> int:
        """Return how many entries may be found."""
        return len(self._published.gallery.slots(selection))

    def _best(
        self,
        gallery: Gallery,
        query: Query,
        slots: Slots,
        measure: _Measure,
        k: int,
        bits: Bits,
        group_by: GroupBy | None,
    ) -> list[CodeHit]:
        """Rank slots by distance at ``bits``, at 128 bits (within the cut-off), and by entry.

        Only the first of each group is kept.
        """
        distances = measure(slots, bits)
        if not len(slots):
            return []
        groups = None if group_by is None else gallery.frames.groups(group_by, slots)
        near = np.flatnonzero(within_cutoff(distances, k, groups))
        slots, distances = slots[near], distances[near]
        full = distances if bits == 128 else measure(slots, 128)
        order = np.lexsort((gallery.frames.entry_ids[slots], full, distances))
        if groups is not None:
            order = order[first_of_each(groups[near][order])]
        return self._hits(gallery, query, slots[order[:k]], bits)

    def _hits(self, gallery: Gallery, query: Query, slots: Slots, bits: Bits) -> list[CodeHit]:
        whole = gallery.global_distances(slots, whole_of(query), bits)
        local = gallery.local_distances(self._scanner, slots, windows_of(query), bits)
        parts = parts_of(query)
        by_part = [local]
        if len(parts) > 1:
            by_part = [gallery.local_distances(self._scanner, slots, part, bits) for part in parts]
        hits = []
        for i, slot in enumerate(slots.tolist()):
            entry_id, global_distance = int(gallery.frames.entry_ids[slot]), float(whole[i])
            if np.isnan(local[i]):
                hits.append(CodeHit(entry_id, global_distance, float(bits)))
                continue
            matches = tuple(
                Match(gallery.windows.nearest(slot, part, bits), float(distances[i]))
                for part, distances in zip(parts, by_part, strict=True)
            )
            hits.append(CodeHit(entry_id, global_distance, float(local[i]), matches))
        return hits

    def clear(self) -> None:
        """Forget everything, and quarantine the snapshots."""
        with self._writing:
            self._empty()
        self._store.discard()

    def stats(self) -> IndexStats:
        """Return what the index holds."""
        published, base = self._published, self._base
        return IndexStats(
            published.gallery.live_frames,
            published.gallery.live_windows,
            published.seq,
            published.mark,
            self._model_fingerprint,
            published.deleted_seq,
            0 if base is None else base.seq,
            self._unsettled(published, base),
            self._scanner.gpu_windows(),
        )

    def _unsettled(self, published: Projection, base: Generation | None) -> bool:
        behind = published.deleted_seq > (0 if base is None else base.seq)
        return self._keeps_snapshots and (behind or not self._purged)

    def snapshot(self) -> None:
        """Write a snapshot, unless another process is writing one, and move onto it.

        Meanwhile searches go on and rows are applied.
        """
        with self._keeping:
            # Altered codes would get a valid checksum in the new snapshot.
            self._check(lambda: False)
            published, base = self._published, self._base
            if (base is None or published.seq != base.seq) and self._store.write(snapshot_of(published)):
                self._move()
                self._purge()

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Verify the snapshot in use, unless that was done lately, and move onto a newer one.

        Older ones that may hold what was deleted are removed.

        An altered snapshot is quarantined and dropped from memory; the index starts again from an older one,
        or from nothing, and the log brings the rest back.
        """
        with self._keeping:
            if self._store.newest_seq() > (0 if self._base is None else self._base.seq):
                self._move()
            self._purge()
            if self._checked_at is None or self._clock() - self._checked_at >= CHECK_EVERY_S:
                self._check(stopped)

    def _purge(self) -> None:
        """Remove snapshots that may hold what was deleted, once there is one that does not."""
        base, deleted_seq = self._base, self._published.deleted_seq
        if base is not None and base.seq >= deleted_seq > 0:
            self._purged = self._store.purge(deleted_seq)

    def _check(self, stopped: Callable[[], bool]) -> None:
        base = self._base
        if base is None:
            return
        try:
            base.check(stopped)
        except SnapshotError as error:
            self._refuse(base, error)
        else:
            self._checked_at = None if stopped() else self._clock()

    def _refuse(self, base: Generation, error: SnapshotError) -> None:
        with self._writing:
            if self._base is base:
                self._empty()
        self._store.refuse(base, error)
        with self._writing:
            if self._published.seq == 0:
                self._load(checked=True)
        _log.error(
            "The index held an altered snapshot; it starts again from row %d of the log.", self._published.seq
        )

    def _move(self) -> None:
        """Move onto the newest generation, if it is of the log that was applied here."""
        generation = self._store.load(checked=False)
        if generation is None:
            return
        with self._writing:
            published = self._published
            known = (generation.seq, generation.mark)
            if known not in ((published.seq, published.mark), *self._marks):
                return
            gallery = moved(published, generation)
            if gallery is None:
                return
            later = [mark for mark in self._marks if mark[0] > generation.seq]
            self._start(gallery, generation, published.deleted_seq)
            self._marks.extend(later)
            self._publish(published.seq, published.mark)

    def close(self) -> None:
        """End the threads of the scan."""
        self._scanner.close()
