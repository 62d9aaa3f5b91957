"""The scan on a CUDA device, in kernels that numba compiles; nothing else here knows CUDA.

Arithmetic is the limit, and not memory: nine query windows take 36 population counts for each window of 16
bytes. So each code is read once, for all query windows, and nothing is left out early: a branch that some
threads take saves the others nothing.

The tests run these kernels in numba's simulator (``NUMBA_ENABLE_CUDASIM=1``), which has neither shuffles
between threads nor properties of a device; what it lacks is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cuda as _cuda

from hmar.values.codes import CODE_BYTES

# Its types describe neither kernels nor device arrays.
cuda: Any = _cuda
cuda.config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a small archive fills no card

WORDS = CODE_BYTES // 4
NIBBLES_OF_WORD, NIBBLE_VALUES = 8, 16
LEFT_OUT = -1
"""The sum of a frame that is not asked for, or has no windows."""
MOST_QUERIES = 9
"""Query windows of one launch, those of a region: their minima fit in a thread's registers. Every number of
them is a kernel of its own, so more than these would be compiled more often."""
_FARTHEST = 1 << 30


def compiled(function: Callable[..., Any]) -> Any:
    """Make a kernel of a function, compiled for the card when it is first launched."""
    return cuda.jit(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Make a function that kernels may call."""
    return cuda.jit(device=True)(function)


@compiled
def pack(planes: Any, codes: Any, first: int) -> None:
    """Write a piece of byte planes (16, n) as words (4, capacity), from column ``first``."""
    for column in range(cuda.grid(1), planes.shape[1], cuda.gridsize(1)):
        for word in range(WORDS):
            packed = np.uint32(0)
            for byte in range(4):
                packed |= np.uint32(planes[4 * word + byte, column]) << np.uint32(8 * byte)
            codes[word, first + column] = packed


@compiled
def begin(offsets: Any, mask: Any, frames: int, sums: Any) -> None:
    """Set the sum of every frame to 0 where it is asked for and has windows, otherwise to LEFT_OUT."""
    for frame in range(cuda.grid(1), frames, cuda.gridsize(1)):
        asked = mask[frame] != 0 and offsets[frame] < offsets[frame + 1]
        sums[frame] = 0 if asked else LEFT_OUT


@compiled
def count(sums: Any, frames: int, histogram: Any) -> None:
    """Add how many frames there are of each sum."""
    for frame in range(cuda.grid(1), frames, cuda.gridsize(1)):
        if sums[frame] >= 0:
            cuda.atomic.add(histogram, sums[frame], 1)


@compiled
def collect(sums: Any, frames: int, first: int, limit: int, length: Any, slots: Any, found: Any) -> None:
    """Append the slots of frames whose sum is at most ``limit``, and their sums, in any order.

    ``first`` is the slot of frame 0, and ``length``, of shape (1,), how many were appended.
    """
    for frame in range(cuda.grid(1), frames, cuda.gridsize(1)):
        if 0 <= sums[frame] <= limit:
            place = cuda.atomic.add(length, 0, 1)
            slots[place] = first + frame
            found[place] = sums[frame]


@cache
def add_minima(queries: int, words: int, weighted: bool) -> Any:
    """Return the kernel that adds, for each frame, the distances of query windows to its nearest window.

    Its arguments are ``codes``, words (4, columns); ``offsets`` (F + 1,); ``asked``, see :func:`asked_of`;
    and ``sums`` (F,), where negative ones are passed over. The threads of a block share a frame.

    Parameters
    ----------
    queries : int
        From 1 to :data:`MOST_QUERIES`.
    words : int
        How many of a code count: 2 or 4.
    weighted : bool
        Whether bits have weights.
    """
    distance = _weighted(words) if weighted else _plain(words)
    width = WORDS * NIBBLES_OF_WORD * NIBBLE_VALUES if weighted else WORDS
    kind = np.uint8 if weighted else np.uint32

    @compiled
    def kernel(codes: Any, offsets: Any, asked: Any, frames: int, sums: Any) -> None:
        table = cuda.shared.array((queries, width), kind)
        minima = cuda.shared.array(queries, np.int32)
        nearest = cuda.local.array(queries, np.int32)
        code = cuda.local.array(words, np.uint32)
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        for place in range(thread, queries * width, threads):
            table[place // width, place % width] = asked[place // width, place % width]
        for frame in range(cuda.blockIdx.x, frames, cuda.gridDim.x):
            if sums[frame] < 0:  # for all threads of the block alike
                continue
            for query in range(queries):
                nearest[query] = _FARTHEST
            for query in range(thread, queries, threads):
                minima[query] = _FARTHEST
            cuda.syncthreads()
            for column in range(offsets[frame] + thread, offsets[frame + 1], threads):
                for word in range(words):
                    code[word] = codes[word, column]
                for query in range(queries):
                    there = distance(table, query, code)
                    if there < nearest[query]:
                        nearest[query] = there
            for query in range(queries):
                cuda.atomic.min(minima, query, nearest[query])
            cuda.syncthreads()
            if thread == 0:
                total = 0
                for query in range(queries):
                    total += minima[query]
                sums[frame] += total
            cuda.syncthreads()

    return kernel


def _plain(words: int) -> Any:
    @inlined
    def distance(table: Any, query: int, code: Any) -> Any:
        total = 0
        for word in range(words):
            total += cuda.popc(code[word] ^ table[query, word])
        return total

    return distance


def _weighted(words: int) -> Any:
    @inlined
    def distance(table: Any, query: int, code: Any) -> Any:
        total = 0
        for word in range(words):
            rest = code[word]
            for nibble in range(NIBBLES_OF_WORD):
                value = (rest >> np.uint32(4 * nibble)) & np.uint32(15)
                total += table[query, (word * NIBBLES_OF_WORD + nibble) * NIBBLE_VALUES + value]
        return total

    return distance


def card_name() -> str:
    """Return the name of the card in use; raises what the driver raises where there is none."""
    name = "simulated card" if cuda.config.ENABLE_CUDASIM else cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def free_bytes() -> float:
    """Return how much of the card's memory is free."""
    context = cuda.current_context()
    if not cuda.config.ENABLE_CUDASIM:
        context.deallocations.clear()  # what was let go is given back late otherwise
    return float(context.get_memory_info()[0])


def device_array(shape: int | tuple[int, ...], dtype: Any) -> Any:
    """Return memory of the card, not set to anything."""
    return cuda.device_array(shape, np.dtype(dtype))


def to_device(array: Any) -> Any:
    """Return a copy of an array in the card's memory."""
    return cuda.to_device(np.ascontiguousarray(array))


def available() -> bool:
    """Return whether there is a card, with a driver and what compiles for it."""
    return bool(cuda.is_available())
