"""What every catalogue does alike: check codes, mark log rows, and order frames."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import CODE_BYTES, EncodedFrame
from hmar.values.entries import EntryInfo

_Position = tuple[float, float, float]


def new_mark() -> str:
    """Return a fresh mark for the log rows of one transaction: 128 random bits, 32 characters."""
    return secrets.token_hex(16)


def check_encoded(encoded: EncodedFrame) -> None:
    """Refuse codes of a wrong shape or type, before anything is stored.

    Raises
    ------
    ValueError
        If a code is not 16 bytes, or there is not one window id for each window code.
    """
    windows = len(encoded.window_ids)
    _check_array("global_code", encoded.global_code, (CODE_BYTES,), np.uint8)
    _check_array("window_codes", encoded.window_codes, (windows, CODE_BYTES), np.uint8)
    _check_array("window_ids", encoded.window_ids, (windows,), np.uint32)


def _check_array(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")


def by_frame_number(entries: Iterable[EntryInfo]) -> list[EntryInfo]:
    """Sort the frames of one instance by number, those of one number by entry."""
    return sorted(entries, key=lambda entry: (entry.info.frame_number, entry.entry_id))


def display_order(entries: Iterable[EntryInfo]) -> list[EntryInfo]:
    """Sort the frames of one series for a person to scroll through.

    Position along the axis in which positions vary most, from high to low (PS3.3 C.7.6.2.1.1: the
    patient's z axis grows towards the head); then instance number, frame number and entry. A frame
    without a position or a number comes after those that have one.
    """
    listed = list(entries)
    axis = _widest_axis([entry.info.position for entry in listed if entry.info.position is not None])

    def key(entry: EntryInfo) -> tuple[float, float, int, int]:
        info = entry.info
        height = -info.position[axis] if info.position is not None else math.inf
        number = info.instance_number if info.instance_number is not None else math.inf
        return height, number, info.frame_number, entry.entry_id

    return sorted(listed, key=key)


def _widest_axis(positions: Sequence[_Position]) -> int:
    if not positions:
        return 0
    extents = [max(values) - min(values) for values in zip(*positions, strict=True)]
    return extents.index(max(extents))
