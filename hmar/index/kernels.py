"""The scan, compiled: one pass over planes of window codes, in the order in which they lie in memory.

Everything that is compiled stands in this one file: what numba keeps of a function on disk is renewed when
the function's own file changes, and not for another one's sake.

What a kernel does, its numpy counterpart in :mod:`hmar.index.portable` does as well; there the arguments are
explained.

FAISS's flat binary index is not used because it knows no frames: it has no exact answer for a query of
several windows, and for one window it takes at least 2.6 times as long (docs/scan.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numba as _numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import extending as _extending
from numpy.typing import NDArray

from hmar.index.planes import LINE, Planes
from hmar.values.codes import CODE_BYTES, CodeArray

# Its types describe neither what is compiled nor what is set.
numba: Any = _numba
types: Any = numba.types

LANES, WIDE_LANES = 32, LINE
NINE, FOUR, THREE, NIBBLES, WORD_BYTES = 9, 4, 3, 16, 4
AHEAD = 1024
"""Columns by which reading is ahead of comparing: processors read ahead well in one array, not in sixteen."""
AHEAD_FRAMES = 2
"""The same in frames, where some are left out: columns of the frame after the next are asked for."""
_HOST = {} if numba.config.CPU_NAME or numba.config.CPU_FEATURES else get_host_cpu_features()
LOOKS_UP = bool(_HOST.get("avx2"))
"""Whether 32 bytes are looked up at a time: on x86 with AVX2, unless numba builds for an older processor."""
COUNTS = bool(_HOST.get("avx512bitalg"))
"""Whether the bits of 64 bytes are counted at a time, and nine codes are compared at once, or three."""
SHUFFLES = LOOKS_UP and not COUNTS
"""Whether four codes are compared at a time by tables, which take the place of counting."""

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VECTOR, _WIDE = ir.VectorType(_BYTE, LANES), ir.VectorType(_BYTE, WIDE_LANES)
_SEVERAL = types.int64(
    types.uintp, types.int64, types.int64, types.int64, types.int64, types.uintp, types.int64, types.uintp
)
_Function = TypeVar("_Function", bound=Callable[..., Any])
Integers = NDArray[np.int64]
Mask = NDArray[np.uint8]
Words = NDArray[np.uint32]
Minima = NDArray[np.uint8]

_planes = types.Array(types.uint8, 2, "C", readonly=True)
_offsets = types.Array(types.int64, 1, "C", readonly=True)
_table = types.Array(types.int64, 2, "C", readonly=True)
_mask = types.Array(types.uint8, 1, "C", readonly=True)
_words = types.Array(types.uint32, 2, "C")
_minima = types.Array(types.uint8, 1, "C")
_tables = types.Array(types.uint8, 5, "C")
_column = types.Array(types.int64, 1, "C")


def _scan_of(queries: Any) -> Any:
    """Return the signature of a scan for such queries."""
    return types.int64(
        _planes, _offsets, _table, _mask, queries, types.int64, types.int64, types.int64, types.int64,
        _column, _column, _column, _column,
    )  # fmt: skip


_SCAN = _scan_of(_planes)


def compiled(signature: Any) -> Callable[[_Function], _Function]:
    """Compile a function now, or load what an earlier process compiled; it runs without the GIL."""

    def decorate(function: _Function) -> _Function:
        try:
            kernel: _Function = numba.njit(signature, nogil=True, cache=True)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache may be written
            kernel = numba.njit(signature, nogil=True)(function)
        return kernel

    return decorate


def intrinsic(define: Callable[..., Any]) -> Any:
    """Turn a function that returns a signature and a code generator into one that compiled code may call."""
    return _extending.intrinsic(define)


@dataclass(frozen=True)
class _Loop:
    """What a loop over columns takes at a time.

    Parameters
    ----------
    kind : ir.VectorType
    vectors : int
        Of that kind, of columns.
    sums : int
        Vectors of sums; their minima are the outcome.
    width : int
        Bytes of the query for each plane.
    add : callable
        Generates the code that adds a plane to the sums. It is given the plane's vectors of codes and the
        address of the query's bytes.
    """

    kind: Any
    vectors: int
    sums: int
    width: int
    add: Callable[[list[Any], list[Any], Any], list[Any]]


def _build_minima(builder: Any, arguments: Any, loop: _Loop) -> list[Any]:
    """Generate the loop over columns and the inner one over planes; return the minima."""
    kind, vectors, sums = loop.kind, loop.vectors, loop.sums
    address, stride, start, stop, ahead, query, planes = arguments
    first, query = (builder.inttoptr(pointer, _BYTE.as_pointer()) for pointer in (address, query))
    last = builder.sub(stop, _INT64(kind.count))
    entry = builder.block
    columns, bytes_, after, done = (
        builder.append_basic_block(name) for name in ("columns", "bytes", "after", "done")
    )
    builder.branch(columns)

    builder.position_at_end(columns)
    at, low = builder.phi(_INT64), [builder.phi(kind) for _ in range(sums)]
    starts = [
        _smaller(builder, builder.add(at, _INT64(kind.count * number)), last) for number in range(vectors)
    ]
    here, gaps = builder.gep(first, starts[:1]), [builder.sub(begin, starts[0]) for begin in starts]
    builder.branch(bytes_)

    builder.position_at_end(bytes_)
    plane, place = builder.phi(_INT64), builder.phi(_BYTE.as_pointer())
    totals = [builder.phi(kind) for _ in range(sums)]
    _prefetch(builder, builder.gep(place, [ahead]))
    codes = [_vector(builder, builder.gep(place, [gap]), kind) for gap in gaps]
    new = loop.add(totals, codes, builder.gep(query, [builder.mul(plane, _INT64(loop.width))]))
    following = builder.add(plane, _INT64(1))
    for phi, before, next_ in (
        (plane, _INT64(0), following),
        (place, here, builder.gep(place, [stride])),
        *((total, _every(0, kind), value) for total, value in zip(totals, new, strict=True)),
    ):
        phi.add_incoming(before, columns)
        phi.add_incoming(next_, bytes_)
    builder.cbranch(builder.icmp_signed("<", following, planes), bytes_, after)

    builder.position_at_end(after)
    lower = [builder.call(_minimum(builder, kind), both) for both in zip(low, new, strict=True)]
    further = builder.add(at, _INT64(kind.count * vectors))
    for phi, before, next_ in (
        (at, start, further),
        *((old, _every(255, kind), value) for old, value in zip(low, lower, strict=True)),
    ):
        phi.add_incoming(before, entry)
        phi.add_incoming(next_, after)
    builder.cbranch(builder.icmp_signed("<", further, stop), columns, done)

    builder.position_at_end(done)
    return lower


def _minimum(builder: Any, kind: Any) -> Any:
    return _declared(builder, f"llvm.umin.v{kind.count}i8", kind, [kind, kind])


def _reduced(builder: Any, values: Any) -> Any:
    """Return the least of a vector of bytes."""
    name = f"llvm.vector.reduce.umin.v{values.type.count}i8"
    return builder.call(_declared(builder, name, _BYTE, [values.type]), [values])


def _declared(builder: Any, name: str, result: Any, arguments: Any) -> Any:
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def _every(value: int, kind: Any) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def _splat(builder: Any, place: Any, kind: Any) -> Any:
    """Return a word, four times a byte of a query, as often as it fits: processors do that while reading."""
    words = ir.VectorType(_INT32, kind.count // WORD_BYTES)
    empty = ir.Constant(words, ir.Undefined)
    word = builder.load(builder.bitcast(place, _INT32.as_pointer()), align=WORD_BYTES)
    alone = builder.insert_element(empty, word, _INT32(0))
    return builder.shuffle_vector(alone, empty, ir.Constant(words, [0] * words.count))


def _vector(builder: Any, place: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)


def _prefetch(builder: Any, place: Any) -> None:
    """Ask for the cache line at an address, which may lie beyond the array."""
    to_read, all_levels, data = _INT32(0), _INT32(3), _INT32(1)
    pointer = _BYTE.as_pointer()
    prefetch = _declared(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, _INT32, _INT32, _INT32])
    builder.call(prefetch, [place, to_read, all_levels, data])


def _add_bits(builder: Any, total: Any, bytes_: Any, words: Any) -> Any:
    """Add the number of bits in which a vector of bytes differs from one of words to a sum for each byte."""
    kind = total.type
    count = _declared(builder, f"llvm.ctpop.v{kind.count}i8", kind, [kind])
    differing = builder.xor(builder.bitcast(bytes_, words.type), words)
    return builder.add(total, builder.call(count, [builder.bitcast(differing, kind)]))


def _store_minima(builder: Any, minima: list[Any], place: Any) -> Any:
    """Write the least of each vector as a byte, one after the other; return how many."""
    first = builder.inttoptr(place, _BYTE.as_pointer())
    for number, values in enumerate(minima):
        builder.store(_reduced(builder, values), builder.gep(first, [_INT64(number)]))
    return _INT64(len(minima))


def _nearest_in(kind: Any, vectors: int) -> Any:
    """Return an intrinsic that finds the least distance between one code and those in columns start to stop.

    It takes so many vectors of columns at a time, and there are at least as many columns as in one. The last
    may overlap those before it, which changes no minimum. Written as LLVM's vector types because the
    vectoriser, given plain loops over words, took two to three times as long.
    """

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def add(sums: list[Any], codes: list[Any], place: Any) -> list[Any]:
            word = _splat(builder, place, kind)
            return [
                _add_bits(builder, total, bytes_, word) for total, bytes_ in zip(sums, codes, strict=True)
            ]

        first, *others = _build_minima(builder, arguments, _Loop(kind, vectors, vectors, WORD_BYTES, add))
        for other in others:
            first = builder.call(_minimum(builder, kind), [first, other])
        return _reduced(builder, first)

    def define(
        _context: Any, address: Any, stride: Any, start: Any, stop: Any, ahead: Any, words: Any, planes: Any
    ) -> Any:
        signature = types.uint8(
            types.uintp, types.int64, types.int64, types.int64, types.int64, types.uintp, types.int64
        )
        return signature, build

    return intrinsic(define)


def _nearest_of(count: int) -> Any:
    """Return an intrinsic that does what :func:`_nearest` does for so many codes at once.

    There are at least 64 columns. The minima are written as bytes, and their number is returned.
    """

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def add(sums: list[Any], codes: list[Any], words: Any) -> list[Any]:
            places = [
                builder.gep(words, [_INT64(number * CODE_BYTES * WORD_BYTES)]) for number in range(count)
            ]
            return [
                _add_bits(builder, total, codes[0], _splat(builder, word, _WIDE))
                for total, word in zip(sums, places, strict=True)
            ]

        *where, place = arguments
        minima = _build_minima(builder, where, _Loop(_WIDE, 1, count, WORD_BYTES, add))
        return _store_minima(builder, minima, place)

    def define(
        _context: Any,
        address: Any,
        stride: Any,
        start: Any,
        stop: Any,
        ahead: Any,
        words: Any,
        planes: Any,
        minima: Any,
    ) -> Any:
        return _SEVERAL, build

    return intrinsic(define)


_nearest = _nearest_in(_VECTOR, LINE // LANES)
_nearest_of_line = _nearest_in(_WIDE, 1) if COUNTS else _nearest
_nearest_three, _nearest_nine = _nearest_of(THREE), _nearest_of(NINE)


@intrinsic
def _bits(_context: Any, byte: Any) -> Any:
    """Count the ones of a byte."""
    return types.uint8(types.uint8), lambda _c, builder, _s, arguments: builder.ctpop(arguments[0])


@compiled(_words(_planes))
def _words_of(queries: CodeArray) -> Words:
    """Return words of four times each byte."""
    words = np.empty(queries.shape, np.uint32)
    for query in range(len(queries)):
        for plane in range(CODE_BYTES):
            words[query, plane] = queries[query, plane] * np.uint32(0x01010101)
    return words


@compiled(types.int64(_planes, types.int64, types.int64, types.int64, _words, types.int64, types.int64))
def _frame_minimum(
    codes: Planes, start: int, stop: int, ahead: int, words: Words, query: int, planes: int
) -> int:
    """Return the distance of a query window to the nearest of a frame's windows."""
    if stop - start >= LANES:
        address = words.ctypes.data + query * CODE_BYTES * WORD_BYTES
        return int(_nearest(codes.ctypes.data, codes.strides[0], start, stop, ahead, address, planes))
    least = 8 * CODE_BYTES
    for column in range(start, stop):
        distance = 0
        for plane in range(planes):
            distance += _bits(codes[plane, column] ^ np.uint8(words[query, plane] & 255))
        least = min(least, distance)
    return least


def _build_nearest_four(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    def add(sums: list[Any], codes: list[Any], tables: Any) -> list[Any]:
        halves = _halves(builder, codes[0])
        new = []
        for number, total in enumerate(sums):
            value = total
            for half, index in enumerate(halves):
                value = builder.add(value, _looked_up(builder, tables, 2 * number + half, index))
            new.append(value)
        return new

    *where, place = arguments
    minima = _build_minima(builder, where, _Loop(_VECTOR, 1, FOUR, 2 * FOUR * NIBBLES, add))
    return _store_minima(builder, minima, place)


def _halves(builder: Any, bytes_: Any) -> tuple[Any, Any]:
    """Return the lower and the upper four bits of 32 bytes."""
    words = ir.VectorType(ir.IntType(16), LANES // 2)
    fours = ir.Constant(words, [4] * (LANES // 2))
    shifted = builder.bitcast(builder.lshr(builder.bitcast(bytes_, words), fours), _VECTOR)
    fifteen = _every(15, _VECTOR)
    return builder.and_(bytes_, fifteen), builder.and_(shifted, fifteen)


def _looked_up(builder: Any, tables: Any, number: int, index: Any) -> Any:
    """Look 32 numbers from 0 to 15 up in a table of 16 bytes."""
    half = ir.VectorType(_BYTE, NIBBLES)
    shuffle = _declared(builder, "llvm.x86.avx2.pshuf.b", _VECTOR, [_VECTOR, _VECTOR])
    place = builder.bitcast(builder.gep(tables, [_INT64(NIBBLES * number)]), half.as_pointer())
    lanes = ir.Constant(ir.VectorType(_INT32, LANES), [*range(NIBBLES)] * 2)
    table = builder.shuffle_vector(builder.load(place, align=1), ir.Constant(half, ir.Undefined), lanes)
    return builder.call(shuffle, [table, index])


@intrinsic
def _nearest_four(
    _context: Any,
    address: Any,
    stride: Any,
    start: Any,
    stop: Any,
    ahead: Any,
    tables: Any,
    planes: Any,
    minima: Any,
) -> Any:
    """Do what :func:`_nearest` does for four codes at once; the minima are written as bytes.

    Each half of a byte is looked up in a table of its Hamming distances to the query's halves: bytes are
    split once for four codes (André et al., VLDB 2015, do so for product quantisers).
    """
    return _SEVERAL, _build_nearest_four if LOOKS_UP else lambda *_: _INT64(0)


@compiled(_tables(_planes))
def _tables_of(queries: CodeArray) -> Planes:
    """Return the tables of each four queries, by plane, code and half; the last one to three have none."""
    fours = len(queries) // FOUR if SHUFFLES else 0
    tables = np.zeros((fours, CODE_BYTES, FOUR, 2, NIBBLES), np.uint8)
    for query in range(len(tables) * FOUR):
        for plane in range(CODE_BYTES):
            byte = queries[query, plane]
            for number in range(NIBBLES):
                of_both = tables[query // FOUR, plane, query % FOUR]
                of_both[0, number] = _bits(np.uint8(number) ^ (byte & np.uint8(15)))
                of_both[1, number] = _bits(np.uint8(number) ^ (byte >> np.uint8(4)))
    return tables


_FRAME = types.int64(
    _planes, types.int64, types.int64, types.int64, _words, _tables, types.int64, types.int64, _minima
)


@compiled(_FRAME)
def _find_minima(
    codes: Planes,
    start: int,
    stop: int,
    ahead: int,
    words: Words,
    tables: Planes,
    planes: int,
    query: int,
    minima: Minima,
) -> int:
    """Find the distances of some query windows, from one on, to the nearest of a frame's; return how many."""
    address, stride, left = codes.ctypes.data, codes.strides[0], len(words) - query
    if COUNTS and stop - start >= WIDE_LANES and left >= THREE:
        asked, to = words.ctypes.data + query * CODE_BYTES * WORD_BYTES, minima.ctypes.data
        if left >= NINE:
            return int(_nearest_nine(address, stride, start, stop, ahead, asked, planes, to))
        return int(_nearest_three(address, stride, start, stop, ahead, asked, planes, to))
    if SHUFFLES and stop - start >= LANES and left >= FOUR:
        table, to = tables.ctypes.data + query // FOUR * tables.strides[0], minima.ctypes.data
        return int(_nearest_four(address, stride, start, stop, ahead, table, planes, to))
    minima[0] = _frame_minimum(codes, start, stop, ahead, words, query, planes)
    return 1


@compiled(_FRAME)
def _frame_sum(
    codes: Planes,
    start: int,
    stop: int,
    ahead: int,
    words: Words,
    tables: Planes,
    planes: int,
    cutoff: int,
    minima: Minima,
) -> int:
    """Return the sum of a frame, or of its first minima if that is above the cut-off."""
    query = total = 0
    while query < len(words) and total <= cutoff:
        count = _find_minima(codes, start, stop, ahead, words, tables, planes, query, minima)
        for number in range(count):
            total += minima[number]
        query += count
    return total


@compiled(types.int64(_planes, types.int64, types.int64, _tables, types.int64, types.int64))
def _looked_up_minimum(codes: Planes, start: int, stop: int, tables: Planes, query: int, planes: int) -> int:
    """Return the weighted distance of a query window to the nearest of a frame's windows."""
    least = 255
    for column in range(start, stop):
        distance = 0
        for plane in range(planes):
            byte = codes[plane, column]
            of_plane = tables[query // FOUR, plane, query % FOUR]
            distance += of_plane[0, byte & np.uint8(15)] + of_plane[1, byte >> np.uint8(4)]
        least = min(least, distance)
    return least


@compiled(
    types.int64(_planes, types.int64, types.int64, types.int64, _tables, types.int64, types.int64, _minima)
)
def _weighted_sum(
    codes: Planes, start: int, stop: int, ahead: int, tables: Planes, planes: int, cutoff: int, minima: Minima
) -> int:
    """Do what :func:`_frame_sum` does, for distances that are in tables for all queries."""
    total = 0
    for four in range(len(tables)):
        if total > cutoff:
            break
        if LOOKS_UP and stop - start >= LANES:
            table, to = tables.ctypes.data + four * tables.strides[0], minima.ctypes.data
            _nearest_four(codes.ctypes.data, codes.strides[0], start, stop, ahead, table, planes, to)
        else:
            for number in range(FOUR):
                query = four * FOUR + number
                minima[number] = _looked_up_minimum(codes, start, stop, tables, query, planes)
        for number in range(FOUR):
            total += minima[number]
    return total


@compiled(types.UniTuple(types.int64, 2)(_column, types.int64, types.int64))
def _cutoff(histogram: Integers, k: int, limit: int) -> tuple[int, int]:
    """Return the cut-off, the largest sum that still counts, and how many known frames are within it."""
    within = 0
    for value in range(limit + 1):
        within += histogram[value]
        if within >= k:
            return value, within
    return limit, within


@compiled(types.UniTuple(types.int64, 2)(_column, types.int64, types.int64, types.int64, types.int64))
def _counted(histogram: Integers, k: int, cutoff: int, within: int, value: int) -> tuple[int, int]:
    """Count a frame whose sum is within the cut-off, and lower the cut-off where k others are nearer."""
    histogram[value] += 1
    within += 1
    while within - histogram[cutoff] >= k:
        within -= histogram[cutoff]
        cutoff -= 1
    return cutoff, within


@compiled(_column(_table, _mask, _offsets))
def _asked_frames(runs: Integers, mask: Mask, offsets: Integers) -> Integers:
    """Return the frames of the runs that are asked for and have windows, in order."""
    frames = np.empty((runs[:, 1] - runs[:, 0]).sum(), np.int64)
    count = 0
    for run in range(len(runs)):
        for frame in range(runs[run, 0], runs[run, 1]):
            if mask[frame] and offsets[frame] < offsets[frame + 1]:
                frames[count] = frame
                count += 1
    return frames[:count]


@compiled(types.int64(_offsets, _column, types.int64))
def _ahead(offsets: Integers, frames: Integers, number: int) -> int:
    """Return by how many columns reading is ahead while one of the asked frames is compared."""
    later = frames[min(number + AHEAD_FRAMES, len(frames) - 1)]
    if later - frames[number] <= AHEAD_FRAMES:
        return AHEAD
    return int(offsets[later] - offsets[frames[number]])


@compiled(_SCAN)
def scan_frames(
    codes: Planes,
    offsets: Integers,
    runs: Integers,
    mask: Mask,
    queries: CodeArray,
    planes: int,
    prefix: int,
    k: int,
    limit: int,
    histogram: Integers,
    judged: Integers,
    found: Integers,
    sums: Integers,
) -> int:
    """Scan frame by frame, each for all query windows while it is in the L1 cache."""
    cutoff, within = _cutoff(histogram, k, limit)
    words, tables, minima = _words_of(queries), _tables_of(queries), np.empty(NINE, np.uint8)
    frames = _asked_frames(runs, mask, offsets)
    count = 0
    for number, frame in enumerate(frames):
        start, stop = offsets[frame], offsets[frame + 1]
        ahead = _ahead(offsets, frames, number)
        total = _frame_sum(codes, start, stop, ahead, words, tables, planes, cutoff, minima)
        if total <= cutoff:
            found[count], sums[count] = frame, total
            count += 1
            cutoff, within = _counted(histogram, k, cutoff, within, total)
    return count


@compiled(_SCAN)
def scan_columns(
    codes: Planes,
    offsets: Integers,
    runs: Integers,
    mask: Mask,
    queries: CodeArray,
    planes: int,
    prefix: int,
    k: int,
    limit: int,
    histogram: Integers,
    judged: Integers,
    found: Integers,
    sums: Integers,
) -> int:
    """Scan cache line by cache line for one query window; lines with nothing within the cut-off are skipped.

    A line is read whichever frames its columns belong to. At worst, frames that are not asked for make it
    pass for nothing, so the mask is looked at only where something is near.
    """
    words = _words_of(queries)
    address, stride, query = codes.ctypes.data, codes.strides[0], words.ctypes.data
    cutoff, within = _cutoff(histogram, k, limit)
    count = 0
    for run in range(len(runs)):
        frame = runs[run, 0]
        done, end = offsets[frame], offsets[runs[run, 1]]
        for line in range(done - done % LINE, end, LINE):
            judged[1] += 1
            if _nearest_of_line(address, stride, line, line + LINE, AHEAD, query, prefix) > cutoff:
                continue
            judged[0] += 1
            if (
                prefix < planes
                and _nearest_of_line(address, stride, line, line + LINE, AHEAD, query, planes) > cutoff
            ):
                continue
            stop = min(line + LINE, end)
            column = max(line, done)
            while column < stop:
                while offsets[frame + 1] <= column:
                    frame += 1
                column = offsets[frame + 1]
                if not mask[frame]:
                    continue
                total = _frame_minimum(codes, offsets[frame], column, AHEAD, words, 0, planes)
                if total <= cutoff:
                    found[count], sums[count] = frame, total
                    count += 1
                    cutoff, within = _counted(histogram, k, cutoff, within, total)
            done = max(done, column)
    return count


@compiled(_scan_of(_tables))
def scan_weighted(
    codes: Planes,
    offsets: Integers,
    runs: Integers,
    mask: Mask,
    tables: Planes,
    planes: int,
    prefix: int,
    k: int,
    limit: int,
    histogram: Integers,
    judged: Integers,
    found: Integers,
    sums: Integers,
) -> int:
    """Scan frame by frame for queries whose bits have weights, as :func:`scan_frames` does for others."""
    cutoff, within = _cutoff(histogram, k, limit)
    minima = np.empty(FOUR, np.uint8)
    frames = _asked_frames(runs, mask, offsets)
    count = 0
    for number, frame in enumerate(frames):
        start, stop = offsets[frame], offsets[frame + 1]
        ahead = _ahead(offsets, frames, number)
        total = _weighted_sum(codes, start, stop, ahead, tables, planes, cutoff, minima)
        if total <= cutoff:
            found[count], sums[count] = frame, total
            count += 1
            cutoff, within = _counted(histogram, k, cutoff, within, total)
    return count
