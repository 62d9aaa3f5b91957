"""The index as one request sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hmar.narrowed.selecting import narrowed
from hmar.ports import CodeIndex, IndexStats
from hmar.values.access import Access
from hmar.values.codes import Bits, Query
from hmar.values.entries import LogRow
from hmar.values.fast import FastHits
from hmar.values.groups import CodeGroup, FrameCodes, GroupQuery
from hmar.values.hits import CodeHit, Mode
from hmar.values.selection import Selection


class NarrowedIndex:
    """A :class:`hmar.ports.CodeIndex` that finds and counts nothing that the current request does not see.

    Parameters
    ----------
    index : CodeIndex
    access : callable
        Returns the access of the current request.
    """

    def __init__(self, index: CodeIndex, access: Callable[[], Access]) -> None:
        self._index = index
        self._access = access

    def apply(self, rows: Sequence[LogRow]) -> None:
        """Apply log rows in order, of all collections."""
        self._index.apply(rows)

    def search_global(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the nearest global code, of those seen."""
        return self._index.search_global(query, k, bits, self._seen(selection))

    def search_windows(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest local distance, of those seen."""
        return self._index.search_windows(query, k, bits, self._seen(selection))

    def search_fused(self, query: Query, k: int, bits: Bits, selection: Selection) -> list[CodeHit]:
        """Return the k entries with the smallest gate-weighted sum of both distances, of those seen."""
        return self._index.search_fused(query, k, bits, self._seen(selection))

    def search_fast(
        self, query: Query, k: int, mode: Mode, bits: Bits, selection: Selection
    ) -> FastHits | None:
        """Return most of the k nearest entries, of those seen; None where the exact search costs no more."""
        return self._index.search_fast(query, k, mode, bits, self._seen(selection))

    def search_groups(self, query: GroupQuery, k: int, bits: Bits, selection: Selection) -> list[CodeGroup]:
        """Return the k nearest groups, of those seen."""
        return self._index.search_groups(query, k, bits, self._seen(selection))

    def codes(self, entry_ids: Sequence[int], selection: Selection) -> list[FrameCodes]:
        """Return the codes of those entries that are seen, in the order given."""
        return self._index.codes(entry_ids, self._seen(selection))

    def count(self, selection: Selection) -> int:
        """Return how many entries may be found, of those seen."""
        return self._index.count(self._seen(selection))

    def clear(self) -> None:
        """Forget everything: the log that it came from is not the catalogue's."""
        self._index.clear()

    def stats(self) -> IndexStats:
        """Return what the index holds of all collections: it says how far the log was applied."""
        return self._index.stats()

    def snapshot(self) -> None:
        """Write a snapshot of all collections."""
        self._index.snapshot()

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Look after the snapshots."""
        self._index.check(stopped)

    def close(self) -> None:
        """End the threads."""
        self._index.close()

    def _seen(self, selection: Selection) -> Selection:
        return narrowed(self._access().identity, selection)
