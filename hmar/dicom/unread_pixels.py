"""The pixel data of a file on the disk: found, and left there until a frame of it is asked for."""

from __future__ import annotations

import struct

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from hmar.contents import FileBytes

_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_LONG_LENGTHS = frozenset({b"OB", b"OW", b"OF", b"OD", b"UN"})
"""VRs of pixels, whose length takes four bytes after two that are reserved (PS3.5 7.1.2)."""
_UNDEFINED = 0xFFFFFFFF
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def add_pixels(dataset: Dataset, data: FileBytes, at: int) -> None:
    """Add the pixel data that begins at a place to the data set that was read up to there.

    Its value is a part of ``data``, and of the retired big-endian syntax, whose words may have to be swapped
    across frames, all bytes. Where nothing begins there, or compressed pixels have no end, nothing is added:
    pydicom leaves those out too.
    """
    implicit, little = _encoding(dataset)
    order = "<" if little else ">"
    head = data[at : at + 12]
    if len(head) < 8:
        return
    tag = struct.unpack(f"{order}HH", head[:4])
    number = tag[0] << 16 | tag[1]
    if number not in _PIXEL_TAGS:
        return
    vr = b"OW" if implicit else head[4:6]
    if vr not in _LONG_LENGTHS:
        return
    begin = at + (8 if implicit else 12)
    length = struct.unpack(f"{order}L", data[begin - 4 : begin])[0]
    end = _end_of_fragments(data, begin) if length == _UNDEFINED else min(begin + length, len(data))
    if end is None:
        return
    dataset[number] = DataElement(
        number,
        vr.decode("ascii"),
        data.part(begin, end) if little else data[begin:end],
        begin,
        is_undefined_length=length == _UNDEFINED,
        already_converted=True,
    )


def _encoding(dataset: Dataset) -> tuple[bool, bool]:
    """Return whether elements are without VR, and little-endian: as they were read, not as announced."""
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            return element.is_implicit_VR, element.is_little_endian
    implicit, little = dataset.original_encoding
    return bool(implicit), bool(little)


def _end_of_fragments(data: FileBytes, begin: int) -> int | None:
    """Return where the fragments of compressed pixels end (PS3.5 A.4), None where the file ends first."""
    at = begin
    while (head := data[at : at + 8])[:4] == _ITEM and len(head) == 8:
        at += 8 + int(struct.unpack("<L", head[4:])[0])
    return at if head[:4] == _DELIMITER else None
