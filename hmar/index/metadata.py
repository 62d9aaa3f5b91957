"""What frames are selected and grouped by: one column of small numbers for each property, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.index.growing import GrowingArray
from hmar.properties.kinds.kind import Condition, Kind
from hmar.properties.kinds.labels import Labels
from hmar.properties.table import TABLE
from hmar.values.frames import FrameInfo
from hmar.values.selection import GroupBy, Selection

COLLECTION = Labels()
"""The kind of the name that frames are kept under; it is no property of theirs."""
TEXTS = ("collections", *(item.plural for item in TABLE.values() if item.kind.texts))
"""Columns of positions in a list of texts; -1 stands for unknown."""
METADATA_ARRAYS = {
    "collections": (COLLECTION.dtype, 1),
    **{item.plural: (item.kind.dtype, 1) for item in TABLE.values()},
    "patients": ("<u8", 1),
    "studies": ("<u8", 1),
    "series": ("<u8", 1),
}
"""Name of every column with its dtype and number of axes."""

_UNKNOWN_IDENTITY = 0

Texts = Mapping[str, Sequence[str]]


class MetadataColumns:
    """Properties of frames, by slot, each as its kind encodes it.

    Keys of patients and UIDs are 64 bits of their BLAKE2b: among a million of them, two are alike with a
    probability of 3e-8.

    Parameters
    ----------
    arrays : mapping of str to ndarray, shape (F,)
        As in ``METADATA_ARRAYS``.
    texts : mapping of str to sequence of str
        The texts that each column of ``TEXTS`` refers to.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], texts: Texts) -> None:
        self._columns = {name: GrowingArray(arrays[name]) for name in METADATA_ARRAYS}
        self._positions = {name: {text: at for at, text in enumerate(texts[name])} for name in TEXTS}

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every column, shape (F,) each."""
        return {name: column.values for name, column in self._columns.items()}

    @property
    def texts(self) -> dict[str, list[str]]:
        """The texts that each column of ``TEXTS`` refers to."""
        return {name: list(positions) for name, positions in self._positions.items()}

    def extend(self, rows: Sequence[tuple[str, FrameInfo]]) -> None:
        """Append frames as (collection, info)."""
        infos = [info for _, info in rows]
        self._extend("collections", COLLECTION, [collection for collection, _ in rows])
        for name, item in TABLE.items():
            self._extend(item.plural, item.kind, [getattr(info, name) for info in infos])
        for column, keys in (
            ("patients", [info.patient_key for info in infos]),
            ("studies", [info.study_uid for info in infos]),
            ("series", [info.series_uid for info in infos]),
        ):
            self._columns[column].extend(np.array([_identity(key) for key in keys], np.uint64))

    def take(self, other: MetadataColumns, slots: NDArray[np.int64]) -> None:
        """Append some frames of other columns."""
        taken, texts = other.arrays, other.texts
        for name, column in self._columns.items():
            values = taken[name][slots]
            if name in TEXTS:
                positions = self._positions[name]
                # The last stands for unknown, whose position is -1.
                here = [positions.setdefault(text, len(positions)) for text in texts[name]] + [-1]
                values = np.array(here, values.dtype)[values]
            column.extend(values)

    def frozen(self) -> MetadataColumns:
        """Return the columns as they are now: what is added later does not show in them."""
        columns = copy(self)
        columns._columns = {name: column.frozen() for name, column in self._columns.items()}
        return columns

    def _extend(self, name: str, kind: Kind[Any, Any], values: Sequence[Any]) -> None:
        column = self._columns[name]
        encoded = kind.encode(values, self._positions.get(name, {}))
        column.extend(np.array(encoded, column.values.dtype))

    def narrow(self, mask: NDArray[np.bool_], selection: Selection) -> None:
        """Clear a mask, shape (F,), where a frame has not what a selection asks for."""
        if selection.collection is not None:
            mask &= self._fitting("collections", COLLECTION, frozenset({selection.collection}))
        if selection.within is not None:
            mask &= self._fitting("collections", COLLECTION, selection.within)
        for name, condition in selection.filters.items():
            mask &= self._fitting(TABLE[name].plural, TABLE[name].kind, condition)
        patients = frozenset() if selection.not_patient is None else frozenset({selection.not_patient})
        for name, left_out in (
            ("patients", patients),
            ("studies", selection.not_studies),
            ("series", selection.not_series),
        ):
            if left_out:
                mask &= ~self._belonging(name, left_out)
        if selection.only_series is not None:
            mask &= self._belonging("series", selection.only_series)

    def _belonging(self, name: str, texts: Collection[str]) -> NDArray[np.bool_]:
        identities = np.array([_identity(each) for each in texts], np.uint64)
        return np.isin(self._columns[name].values, identities)

    def _fitting(self, name: str, kind: Kind[Any, Any], condition: Condition) -> NDArray[np.bool_]:
        return kind.fitting(self._columns[name].values, condition, self._positions.get(name, {}))

    def groups(self, group_by: GroupBy, slots: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return a number for the series, study or patient of some slots, equal where they are the same."""
        if group_by in ("series", "place"):
            return self._identities("series", slots)
        studies = self._identities("studies", slots)
        if group_by == "study":
            return studies
        patients = self._identities("patients", slots)
        return np.where(patients == _UNKNOWN_IDENTITY, studies, patients)

    def _identities(self, name: str, slots: NDArray[np.int64]) -> NDArray[np.uint64]:
        identities: NDArray[np.uint64] = self._columns[name].values[slots]
        return identities

    def kept(self, slots: NDArray[np.int64]) -> MetadataColumns:
        """Return the columns of some slots alone, in that order."""
        return MetadataColumns({name: values[slots] for name, values in self.arrays.items()}, self.texts)


def _identity(text: str | None) -> int:
    """Return a number from 1 to 2**64 - 1 that stands for a key or UID; 0 for none."""
    if text is None:
        return _UNKNOWN_IDENTITY
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1
