"""Stored values from the cells that hold them (PS3.5 8.1.1), in native and in compressed pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def stored_values(cells: NDArray[Any], bits_stored: int, high_bit: int, signed: bool) -> NDArray[Any]:
    """Return the values in cells of unsigned integers.

    Parameters
    ----------
    cells : ndarray of unsigned integers
        Samples as allocated; nothing is assumed of the bits outside the value, which may hold overlays.
    bits_stored : int
        Bits of a value.
    high_bit : int
        Its highest bit in the cell. Since 2014 it is ``bits_stored - 1``; before, it placed the value.
    signed : bool
        Whether the values are in two's complement.

    Returns
    -------
    ndarray, same shape
        Integers as wide as the cells, with a sign if ``signed``.
    """
    width = cells.dtype.itemsize * 8
    native = cells.dtype.newbyteorder("=")
    target = np.dtype(f"i{native.itemsize}") if signed else native
    if bits_stored == width:
        return cells.astype(native, copy=False).view(target)
    lifted = np.left_shift(cells.astype(native, copy=False), native.type(width - 1 - high_bit))
    return np.asarray(np.right_shift(lifted.view(target), target.type(width - bits_stored)))
