"""The frame table: what an index knows of each frame besides its windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import GrowingArray
from hmar.index.hamming import WORD, Slots, Words, code_words, row_distances
from hmar.index.metadata import METADATA_ARRAYS, TEXTS, MetadataColumns, Texts
from hmar.values.codes import CODE_BYTES, Bits, CodeArray, EncodedFrame
from hmar.values.frames import FrameInfo
from hmar.values.selection import GroupBy, Selection

FRAME_ARRAYS = {
    "entry_ids": ("<i8", 1),
    "global_words": (WORD.str, 2),
    "along": ("<f4", 1),
    **METADATA_ARRAYS,
}
"""Name of every array of a frame table with its dtype and number of axes."""


class FrameTable:
    """Entry id, global code, place and metadata of each frame, by slot (from 0, in order of arrival).

    Entry ids are sequence numbers, and so grow with the slot. A frame that is removed stays as a tombstone
    until the table is compacted.

    Parameters
    ----------
    arrays : mapping of str to ndarray, shape (F, ...)
        As in ``FRAME_ARRAYS``; entry ids strictly growing.
    texts : mapping of str to sequence of str
        Strings that some columns refer to by number; see :class:`hmar.index.metadata.MetadataColumns`.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], texts: Texts) -> None:
        self._entry_ids = GrowingArray(arrays["entry_ids"])
        self._words = GrowingArray(arrays["global_words"])
        self._along = GrowingArray(arrays["along"])
        self._metadata = MetadataColumns(arrays, texts)
        self._live = GrowingArray(np.ones(len(self._entry_ids), np.bool_))

    @classmethod
    def empty(cls) -> FrameTable:
        """Return a table of no frames."""
        arrays = {
            name: np.empty((0, 2) if axes == 2 else 0, dtype) for name, (dtype, axes) in FRAME_ARRAYS.items()
        }
        return cls(arrays, {name: [] for name in TEXTS})

    def __len__(self) -> int:
        return len(self._entry_ids)

    @property
    def entry_ids(self) -> NDArray[np.int64]:
        """Entry of each slot, tombstones included."""
        return self._entry_ids.values

    @property
    def global_words(self) -> Words:
        """Global code of each slot, shape (F, 2)."""
        return self._words.values

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that a table is made of, as in ``FRAME_ARRAYS``, tombstones included."""
        return {
            "entry_ids": self.entry_ids,
            "global_words": self.global_words,
            "along": self._along.values,
            **self._metadata.arrays,
        }

    @property
    def texts(self) -> dict[str, list[str]]:
        """Strings that some columns refer to by number."""
        return self._metadata.texts

    @property
    def live(self) -> NDArray[np.bool_]:
        """Whether each slot holds a frame that may be found."""
        return self._live.values

    def extend(self, rows: Sequence[tuple[int, str, EncodedFrame]]) -> None:
        """Add frames as (entry id, collection, codes); entry ids are larger than all before."""
        self._entry_ids.extend(np.array([entry_id for entry_id, _, _ in rows]))
        self._words.extend(code_words(np.stack([encoded.global_code for _, _, encoded in rows])))
        self._along.extend(np.array([_along(encoded.info) for _, _, encoded in rows], np.float32))
        self._metadata.extend([(collection, encoded.info) for _, collection, encoded in rows])
        self._live.extend(np.ones(len(rows), np.bool_))

    def take(self, other: FrameTable, slots: Slots) -> None:
        """Add some frames of another table; their entry ids are larger than all before."""
        self._entry_ids.extend(other.entry_ids[slots])
        self._words.extend(other.global_words[slots])
        self._along.extend(other._along.values[slots])
        self._metadata.take(other._metadata, slots)
        self._live.extend(other.live[slots])

    def frozen(self) -> FrameTable:
        """Return an immutable view: later additions and removals do not affect it."""
        table = copy(self)
        table._entry_ids = self._entry_ids.frozen()
        table._words = self._words.frozen()
        table._along = self._along.frozen()
        table._metadata = self._metadata.frozen()
        table._live = GrowingArray(self.live.copy())
        return table

    def slots(self, entry_ids: NDArray[np.int64]) -> Slots:
        """Return the slots of those entries that are live, in the order given."""
        found = np.searchsorted(self.entry_ids, entry_ids)
        inside = found < len(self)
        slots: Slots = found[inside]
        there: NDArray[np.bool_] = (self.entry_ids[slots] == entry_ids[inside]) & self.live[slots]
        return slots[there]

    def remove(self, slots: Slots) -> None:
        """Mark some slots as removed (tombstones)."""
        self.live[slots] = False

    def selected(self, selection: Selection) -> Slots:
        """Return the slots that may be found, in order."""
        mask = self.live.copy()
        self._metadata.narrow(mask, selection)
        if selection.as_of is not None:
            mask &= self.entry_ids <= selection.as_of
        if selection.exclude:
            mask[self.slots(np.fromiter(selection.exclude, np.int64, len(selection.exclude)))] = False
        return np.flatnonzero(mask)

    def groups(self, group_by: GroupBy, slots: Slots) -> NDArray[np.uint64]:
        """Return the group number of each slot; slots of one group have the same number."""
        return self._metadata.groups(group_by, slots)

    def global_codes(self, slots: Slots) -> CodeArray:
        """Return the global codes of some slots, shape (len(slots), 16)."""
        return np.ascontiguousarray(self.global_words[slots]).view(np.uint8).reshape(-1, CODE_BYTES)

    def distances(self, slots: Slots, query: Words, bits: Bits) -> NDArray[np.uint8]:
        """Compare the global codes of some slots with one code, shape (2,)."""
        words = self.global_words[slots]
        return row_distances((words[:, 0], words[:, 1]), query, bits)

    def kept(self, slots: Slots) -> FrameTable:
        """Return a table of the given slots alone, in the given order."""
        return FrameTable({name: values[slots] for name, values in self.arrays.items()}, self.texts)


def _along(info: FrameInfo) -> float:
    """Return where a frame lies in its series: in mm, or by its number; NaN where neither is known."""
    if info.along_mm is not None:
        return info.along_mm
    return math.nan if info.instance_number is None else info.instance_number
