"""The properties of the table as an image's header has them, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pydicom.sequence
from pydicom.dataset import Dataset

from hmar.dicom.header import texts
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE

_BY_FRAME = tuple(item for item in TABLE.values() if item.by_frame)


def frame_properties(dataset: Dataset) -> Callable[[int], dict[str, Any]]:
    """Return a function that gives the properties of a frame, by its number from 1, by their names.

    Of an enhanced image, what a frame's own functional groups say comes before what the shared ones say.
    """
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    per_frame = _items(dataset, "PerFrameFunctionalGroupsSequence")
    of_image = _read(TABLE.values(), dataset, shared)

    def of_frame(frame_number: int) -> dict[str, Any]:
        own = per_frame[frame_number - 1 : frame_number]
        return of_image | _read(_BY_FRAME, dataset, [*own, *shared]) if own else of_image

    return of_frame


def _read(properties: Iterable[Property], dataset: Dataset, groups: Sequence[Dataset]) -> dict[str, Any]:
    return {
        item.name: item.read(
            [values for source in item.sources for values in _values(dataset, groups, source)]
        )
        for item in properties
    }


def _values(dataset: Dataset, groups: Sequence[Dataset], source: str) -> Iterator[list[str]]:
    """Yield the values of a source's elements, that of each functional group apart."""
    sequence, _, keyword = source.rpartition(".")
    if not sequence:
        yield texts(dataset, keyword)
    for group in groups if sequence else ():
        yield [text for item in _items(group, sequence) for text in texts(item, keyword)]


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    value = dataset.get(keyword)
    return list(value) if isinstance(value, pydicom.sequence.Sequence) else []
