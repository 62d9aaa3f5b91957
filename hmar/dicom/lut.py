"""One reader of lookup tables: modality LUT, VOI LUT and palette.

PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5 and C.7.6.3.1.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hmar.dicom.header import numbers
from hmar.dicom.remedies import SEND_AGAIN
from hmar.dicom.segments import expanded
from hmar.errors import DecodeError

_Output = TypeVar("_Output", bound=np.generic)

_FULL = 1 << 16
_MOST_BITS = 16
_FEWEST_BITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Lut:
    """A lookup table.

    Parameters
    ----------
    first : int
        The input that the first entry is for.
    entries : ndarray of int64
        The outputs; those at the ends hold for all inputs beyond.
    bits : int
        Bits per entry, as declared.
    """

    first: int
    entries: NDArray[np.int64]
    bits: int

    def look_up(self, values: NDArray[Any], outputs: NDArray[_Output]) -> NDArray[_Output]:
        """Map values, rounded to integers, to the outputs given, one for each entry."""
        whole = np.rint(values) if values.dtype.kind == "f" else values.astype(np.int64)
        index = np.clip(whole, self.first, self.first + len(self.entries) - 1).astype(np.int64)
        return np.asarray(outputs[index - self.first])


def read_lut(item: Dataset, prefix: str, name: str, *, signed: bool, order: str) -> Lut:
    """Read a lookup table.

    Parameters
    ----------
    item : Dataset
        Holds ``<prefix>Descriptor`` and ``<prefix>Data``, or ``Segmented<prefix>Data``.
    prefix : str
        Beginning of the keywords: "LUT", or "RedPaletteColorLookupTable".
    name : str
        What messages call the table.
    signed : bool
        Whether inputs may be negative: the sign of the descriptor's second value. The other two have none,
        whatever their VR.
    order : str
        Byte order of the file, "<" or ">".

    Raises
    ------
    DecodeError
        If descriptor and data contradict each other.
    """
    count, first, bits = _descriptor(item, f"{prefix}Descriptor", name, signed=signed)
    if data := _bytes(item, f"{prefix}Data", order):
        return Lut(first, _entries(data, count, bits, order, name), bits)
    if data := _bytes(item, f"Segmented{prefix}Data", order):
        return Lut(first, expanded(data, count, bits, order, name), bits)
    raise DecodeError(f"The {name} has no {prefix}Data.", SEND_AGAIN)


def byte_order(header: Dataset) -> str:
    """Return the byte order of a data set's words, "<" or ">"."""
    return "<" if header.file_meta.TransferSyntaxUID.is_little_endian else ">"


def white_of(luts: list[Lut]) -> int:
    """Return the entry of full brightness in tables that are used together.

    It is the largest of the declared bits, unless the entries say otherwise: tables of 12-bit entries are
    declared as 16 bits, and 16-bit entries as 8. Entries that fill less than a quarter of the declared range,
    or leave it, are of as many bits as the largest has, but of no fewer than 8.
    """
    declared = max(lut.bits for lut in luts)
    largest = max(int(lut.entries.max()) for lut in luts)
    actual = max(_FEWEST_BITS, largest.bit_length())
    fits = declared - 2 < actual <= declared
    return (1 << (declared if fits or not largest else actual)) - 1


def _descriptor(item: Dataset, keyword: str, name: str, *, signed: bool) -> tuple[int, int, int]:
    found = numbers(item, keyword)
    if len(found) != 3:
        raise DecodeError(f"The {name} has no {keyword} of three values.", SEND_AGAIN)
    count, first, bits = (int(value) for value in found)
    if not _FEWEST_BITS <= bits <= _MOST_BITS:
        raise DecodeError(f"The {name} has entries of {bits} bits; 8 to 16 are possible.", SEND_AGAIN)
    if signed and first >= _FULL // 2:
        first -= _FULL
    return count % _FULL or _FULL, first, bits


def _bytes(item: Dataset, keyword: str, order: str) -> bytes:
    """Return data as the bytes of the file, whether its VR is OW, US or SS."""
    value = item.get(keyword)
    if value is None or isinstance(value, bytes):
        return value or b""
    words = np.atleast_1d(np.asarray(value, np.int64)) % _FULL
    return words.astype(f"{order}u2").tobytes()


def _entries(data: bytes, count: int, bits: int, order: str, name: str) -> NDArray[np.int64]:
    """Read entries of bytes or of words: the length of the data says which."""
    if len(data) >= 2 * count:
        return np.frombuffer(data, f"{order}u2", count).astype(np.int64)
    if len(data) in (count, count + count % 2) and bits == _FEWEST_BITS:
        packed = np.frombuffer(data, np.uint8)
        if order == ">":  # words of two entries each, the first in the lower byte
            packed = packed[: len(packed) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
        return packed[:count].astype(np.int64)
    raise DecodeError(
        f"The {name} declares {count} entries of {bits} bits and has {len(data)} bytes.", SEND_AGAIN
    )
