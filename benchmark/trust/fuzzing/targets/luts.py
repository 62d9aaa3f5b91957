"""Lookup tables: the descriptor and data of an item, parsed as in a file, and looked up."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from benchmark.trust.fuzzing.target import Once, Target
from hmar.decoding.answers import error_answer, raise_error
from hmar.dicom.lut import read_lut, white_of
from hmar.errors import DecodeError

_DESCRIPTOR, _DATA, _SEGMENTED = (0x0028, 0x1101), (0x0028, 0x1201), (0x0028, 0x1221)
_PREFIX = "RedPaletteColorLookupTable"
_VRS = (b"US", b"SS", b"OW", b"OB")
_SHORT = (b"US", b"SS")


def make() -> Once:
    """Return what reads a table.

    The first byte chooses the VRs, the sign, the byte order and whether the table is segmented; six bytes of
    descriptor and the data follow.
    """
    inputs = np.array([-70000, -1, 0, 1, 255, 4095, 65535, 70000])

    def once(data: bytes) -> None:
        if len(data) < 7:
            return
        choice, order = data[0], "<>"[data[0] >> 7]
        item = _item(choice, data[1:7], data[7:], order)
        try:
            lut = read_lut(item, _PREFIX, "palette", signed=bool(choice & 8), order=order)
        except DecodeError as error:
            with suppress(DecodeError):
                raise_error(error_answer(error))
            return
        assert 1 <= len(lut.entries) <= 65536
        assert lut.entries.min() >= 0
        assert white_of([lut]) >= lut.entries.max() or lut.bits >= 8
        shown = lut.look_up(inputs, lut.entries)
        assert shown.shape == inputs.shape

    return once


def _item(choice: int, descriptor: bytes, data: bytes, order: str) -> Dataset:
    segmented = bool(choice & 4)
    encoded = _element(order, _DESCRIPTOR, _SHORT[choice & 1], descriptor) + _element(
        order, _SEGMENTED if segmented else _DATA, _VRS[choice >> 4 & 3], data
    )
    return read_dataset(io.BytesIO(encoded), is_implicit_VR=False, is_little_endian=order == "<")


def _element(order: str, tag: tuple[int, int], vr: bytes, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    if vr in _SHORT:
        value = value[:65534]
        return struct.pack(f"{order}HH2sH", *tag, vr, len(value)) + value
    return struct.pack(f"{order}HH2sHL", *tag, vr, 0, len(value)) + value


def seeds() -> Mapping[str, bytes]:
    """Return tables of bytes, of words and of segments."""
    return {
        "bytes": b"\x20" + struct.pack("<3H", 32, 0, 8) + bytes(range(32)),
        "words": b"\x00" + struct.pack("<3H", 16, 64512, 12) + struct.pack("<16H", *range(16)),
        "signed": b"\x09" + struct.pack("<3H", 16, 64512, 16) + struct.pack("<16H", *range(16)),
        "big": b"\x80" + struct.pack(">3H", 16, 0, 16) + struct.pack(">16H", *range(16)),
        "segments": b"\x24" + struct.pack("<3H", 12, 0, 16) + struct.pack("<8H", 0, 2, 1, 2, 1, 10, 500, 0),
        "indirect": b"\x24"
        + struct.pack("<3H", 8, 0, 16)
        + struct.pack("<14H", 0, 2, 1, 2, 1, 2, 500, 2, 2, 0, 0, 0, 0, 0),
        "segments8": b"\x34" + struct.pack("<3H", 12, 0, 8) + bytes([0, 2, 1, 2, 1, 10, 50, 0]),
    }


TARGET = Target(make, seeds, weight=40, most_bytes=1024)
