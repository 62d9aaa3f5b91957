"""The frame table: what an index knows of each frame besides its windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import GrowingArray
from hmar.index.hamming import WORD, Slots, Words, code_words, row_distances
from hmar.types import Bits, CodeArray, Selection


class FrameTable:
    """Entry id, collection and global code of each frame, by slot (from 0, in order of arrival).

    Entry ids are sequence numbers, and so grow with the slot. A frame that is removed stays as a tombstone
    until the table is compacted.

    Parameters
    ----------
    entry_ids : ndarray of int64, shape (F,)
        Strictly growing.
    collections : ndarray of int32, shape (F,)
        Positions in ``names``.
    global_words : ndarray of uint64, shape (F, 2)
        Global codes.
    names : list of str
        Names of the collections.
    """

    def __init__(
        self,
        entry_ids: NDArray[np.int64],
        collections: NDArray[np.int32],
        global_words: Words,
        names: list[str],
    ) -> None:
        self._entry_ids = GrowingArray(entry_ids)
        self._collections = GrowingArray(collections)
        self._words = GrowingArray(global_words)
        self._live = GrowingArray(np.ones(len(entry_ids), np.bool_))
        self._numbers = {name: number for number, name in enumerate(names)}

    @classmethod
    def empty(cls) -> FrameTable:
        """Return a table of no frames."""
        return cls(np.empty(0, "<i8"), np.empty(0, "<i4"), np.empty((0, 2), WORD), [])

    def __len__(self) -> int:
        return len(self._entry_ids)

    @property
    def entry_ids(self) -> NDArray[np.int64]:
        """Entry of each slot, tombstones included."""
        return self._entry_ids.values

    @property
    def collections(self) -> NDArray[np.int32]:
        """Position in ``names`` of each slot's collection."""
        return self._collections.values

    @property
    def global_words(self) -> Words:
        """Global code of each slot, shape (F, 2)."""
        return self._words.values

    @property
    def names(self) -> list[str]:
        """Names of the collections."""
        return list(self._numbers)

    @property
    def live(self) -> NDArray[np.bool_]:
        """Whether each slot holds a frame that may be found."""
        return self._live.values

    def append(self, entry_id: int, collection: str, global_code: CodeArray) -> None:
        """Add a frame; its entry id is larger than all before."""
        number = self._numbers.setdefault(collection, len(self._numbers))
        self._entry_ids.extend(np.array([entry_id]))
        self._collections.extend(np.array([number]))
        self._words.extend(code_words(global_code)[None])
        self._live.extend(np.array([True]))

    def slots(self, entry_ids: NDArray[np.int64]) -> Slots:
        """Return the slots of those entries that are live, in the order given."""
        found = np.searchsorted(self.entry_ids, entry_ids)
        inside = found < len(self)
        slots: Slots = found[inside]
        there: NDArray[np.bool_] = (self.entry_ids[slots] == entry_ids[inside]) & self.live[slots]
        return slots[there]

    def remove(self, slots: Slots) -> None:
        """Make tombstones of some slots."""
        self.live[slots] = False

    def selected(self, selection: Selection) -> Slots:
        """Return the slots that may be found, in order."""
        mask = self.live.copy()
        if selection.collection is not None:
            mask &= self.collections == self._numbers.get(selection.collection, -1)
        if selection.exclude:
            mask[self.slots(np.fromiter(selection.exclude, np.int64, len(selection.exclude)))] = False
        return np.flatnonzero(mask)

    def distances(self, slots: Slots, query: Words, bits: Bits) -> NDArray[np.uint8]:
        """Compare the global codes of some slots with one code, shape (2,)."""
        words = self.global_words[slots]
        return row_distances((words[:, 0], words[:, 1]), query, bits)

    def kept(self, slots: Slots) -> FrameTable:
        """Return a table of some slots alone, in that order."""
        return FrameTable(
            self.entry_ids[slots], self.collections[slots], self.global_words[slots], self.names
        )
