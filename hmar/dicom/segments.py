"""Segmented palettes (PS3.3 C.7.9.2), expanded within the entries they declare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.dicom.remedies import SEND_AGAIN
from hmar.errors import DecodeError

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def expanded(data: bytes, count: int, bits: int, order: str, name: str) -> NDArray[np.int64]:
    """Expand a segmented table.

    Parameters
    ----------
    data : bytes
        The segments, in bytes or, always so for more than 8 bits, in words.
    count : int
        Entries that the descriptor declares: at most 65,536. Expansion ends there with an error.
    bits : int
        Bits per entry.
    order : str
        Byte order of words, "<" or ">".
    name : str
        What messages call the table.

    Raises
    ------
    DecodeError
        If the segments do not give exactly ``count`` entries.
    """
    words = np.frombuffer(data, f"{order}u2", len(data) // 2)
    layouts = [words] if bits > 8 else [np.frombuffer(data, np.uint8), words]
    for units in layouts:
        expansion = _Expansion(units.tolist(), count, wide=units is words)
        if expansion.run(0, None) and len(expansion.entries) == count:
            return np.array(expansion.entries, np.int64)
    raise DecodeError(
        f"The segments of the {name} do not give the {count} entries that it declares.", SEND_AGAIN
    )


class _Expansion:
    """One attempt: each segment gives at least one entry, so that its cost is bounded by ``count``."""

    def __init__(self, units: list[int], count: int, *, wide: bool) -> None:
        self._units, self._count, self._wide = units, count, wide
        self.entries: list[int] = []

    def run(self, offset: int, segments: int | None) -> bool:
        """Expand a number of segments from an offset, or all; False if they are not those of a table."""
        units, nested = self._units, segments is not None
        # A single unit at the end is padding.
        while segments != 0 and offset + 1 < len(units):
            kind, length = units[offset], units[offset + 1]
            body = units[offset + 2 : offset + 2 + (length if kind == _DISCRETE else 1)]
            if kind == _INDIRECT:
                size = 2 if self._wide else 4
                start = self._start(units[offset + 2 : offset + 2 + size])
                if nested or not length or start is None or not self.run(start, length):
                    return False
                offset += 2 + size
            elif not self._append(kind, length, body):
                return False
            else:
                offset += 2 + len(body)
            segments = None if segments is None else segments - 1
        return not segments

    def _start(self, units: list[int]) -> int | None:
        """Return the unit at which copied segments begin; the file gives its distance in bytes."""
        if len(units) < (2 if self._wide else 4):
            return None
        distance = sum(unit << ((16 if self._wide else 8) * place) for place, unit in enumerate(units))
        return distance // 2 if self._wide else distance

    def _append(self, kind: int, length: int, body: list[int]) -> bool:
        room = self._count - len(self.entries)
        if not 1 <= length <= room or not body:
            return False
        if kind == _DISCRETE:
            self.entries += body
            return len(body) == length
        if kind != _LINEAR or not self.entries:
            return False
        start, stop = self.entries[-1], body[0]
        ramp = np.around(np.linspace(start + (stop - start) / length, stop, length))
        self.entries += ramp.astype(np.int64).tolist()
        return True
