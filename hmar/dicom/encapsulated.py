"""The frames of encapsulated pixel data (PS3.5 A.4): which fragments belong to which."""

from __future__ import annotations

import itertools
import struct
from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset

from hmar.contents import Content
from hmar.dicom.remedies import CHECK_COMPLETE, SEND_AGAIN
from hmar.dicom.stream.read import starts_stream
from hmar.errors import DecodeError

_ITEM = b"\xfe\xff\x00\xe0"
_HEADER = 8


class _Fragment(NamedTuple):
    """An item of the pixel data: where its header begins, and where its value."""

    item: int
    start: int
    stop: int


class EncapsulatedFrames:
    """The compressed frames of a data set, by number.

    Parameters
    ----------
    dataset : Dataset
        An image with encapsulated pixel data.
    frames : int
        NumberOfFrames.

    Notes
    -----
    The Extended or the Basic Offset Table says where each frame begins, if it names as many fragments as
    there are frames, in order. Otherwise the number of fragments says it, or, where frames have several,
    where a new stream begins.

    Raises
    ------
    DecodeError
        If the pixel data is not encapsulated, or holds fewer fragments than frames.
    """

    def __init__(self, dataset: Dataset, frames: int) -> None:
        self._data: Content = dataset.PixelData
        self._frames = frames
        table, *self._fragments = self._read_fragments()
        if len(self._fragments) < frames:
            raise DecodeError(
                f"NumberOfFrames is {frames}, the pixel data has {len(self._fragments)} fragments.",
                CHECK_COMPLETE,
            )
        self._begins = self._first_fragments(dataset, self._data[table.start : table.stop])

    def __getitem__(self, frame_number: int) -> bytes:
        """Return a frame, numbered from 1; raises DecodeError where nothing says which fragments it has."""
        if self._begins is None:
            raise DecodeError(
                f"Neither the Basic Offset Table nor the {len(self._fragments)} fragments say where each of "
                f"the {self._frames} frames begins.",
                SEND_AGAIN,
            )
        begin, end = self._begins[frame_number - 1], self._begins[frame_number]
        return b"".join(self._data[part.start : part.stop] for part in self._fragments[begin:end])

    def _read_fragments(self) -> list[_Fragment]:
        """Return all items, the Basic Offset Table first; the last may be cut, or followed by anything."""
        found, offset, size = [], 0, len(self._data)
        while (head := self._data[offset : offset + _HEADER])[:4] == _ITEM and len(head) == _HEADER:
            start = offset + _HEADER
            stop = start + struct.unpack("<L", head[4:])[0]
            found.append(_Fragment(offset, start, min(stop, size)))
            offset = stop
        if not found:
            raise DecodeError(
                "The pixel data is not a sequence of fragments, as the transfer syntax says.",
                SEND_AGAIN,
            )
        return found

    def _first_fragments(self, dataset: Dataset, basic: bytes) -> list[int] | None:
        """Return the index of each frame's first fragment, and one past the last; None if nothing says it."""
        extended = dataset.get("ExtendedOffsetTable") or b""
        count = len(self._fragments)
        starts = self._from_table(extended, "<u8") or self._from_table(basic, "<u4")
        if starts is None and self._frames == 1:
            starts = [0]
        if starts is None and count == self._frames:
            starts = list(range(count))
        return self._from_streams() if starts is None else [*starts, count]

    def _from_streams(self) -> list[int] | None:
        count = len(self._fragments)
        heads = (self._data[part.start : part.start + 12] for part in self._fragments)
        starts = [index for index, head in enumerate(heads) if starts_stream(head)]
        return [*starts, count] if len(starts) == self._frames and starts[0] == 0 else None

    def _from_table(self, table: bytes, dtype: str) -> list[int] | None:
        if not table or len(table) != self._frames * np.dtype(dtype).itemsize:
            return None
        first = self._fragments[0].item
        by_offset = {part.item - first: index for index, part in enumerate(self._fragments)}
        starts = [by_offset.get(offset, -1) for offset in np.frombuffer(table, dtype).tolist()]
        in_order = starts[0] == 0 and all(one < other for one, other in itertools.pairwise(starts))
        return starts if in_order else None
