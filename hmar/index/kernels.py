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

LANES, WIDE_LANES = 32, 64
FIVE, FOUR, TWO, NIBBLES, WORD_BYTES = 5, 4, 2, 16, 4
AHEAD = 512
"""Columns by which reading from memory is ahead of counting. The processor's own prefetching follows one
array well, but not sixteen planes at once."""
_HOST = {} if numba.config.CPU_NAME or numba.config.CPU_FEATURES else get_host_cpu_features()
COUNTS = bool(_HOST.get("avx512bitalg"))
"""Whether the processor counts the bits of 64 bytes at once. Five codes are compared at a time then, and two;
five first, for nine sums of minima are mostly above the cut-off after seven."""
SHUFFLES = bool(_HOST.get("avx2")) and not COUNTS
"""Whether tables of sixteen entries take the place of counting, for four codes at a time: on x86 with AVX2."""
LOOKS_UP = bool(_HOST.get("avx2"))

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VECTOR, _WIDE = ir.VectorType(_BYTE, LANES), ir.VectorType(_BYTE, WIDE_LANES)
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Add = Callable[[list[Any], list[Any], Any], list[Any]]
Integers = NDArray[np.int64]
Mask = NDArray[np.uint8]
Words = NDArray[np.uint32]

_planes = types.Array(types.uint8, 2, "C", readonly=True)
_offsets = types.Array(types.int64, 1, "C", readonly=True)
_table = types.Array(types.int64, 2, "C", readonly=True)
_mask = types.Array(types.uint8, 1, "C", readonly=True)
_words = types.Array(types.uint32, 2, "C")
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


@intrinsic
def _nearest(_context: Any, address: Any, stride: Any, start: Any, stop: Any, query: Any, planes: Any) -> Any:
    """Find the least distance between one code and those in columns start to stop, at least 32 of them.

    Two vectors of 32 columns at a time; the last may overlap those before it, which changes no minimum.
    Written as LLVM's vector types because the vectoriser, given plain loops over words, took two to three
    times as long.
    """
    signature = types.uint8(types.uintp, types.int64, types.int64, types.int64, types.uintp, types.int64)
    return signature, _build_nearest


def _build_nearest(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
    def add(sums: list[Any], codes: list[Any], word: Any) -> list[Any]:
        asked = _splat(builder, word, _VECTOR)
        return [_add_bits(builder, total, bytes_, asked) for total, bytes_ in zip(sums, codes, strict=True)]

    left, right = _build_minima(builder, arguments, _VECTOR, 2, 2, WORD_BYTES, add)
    return _reduced(builder, builder.call(_minimum(builder, _VECTOR), [left, right]))


def _build_minima(
    builder: Any, arguments: Any, kind: Any, vectors: int, sums: int, width: int, add: _Add
) -> list[Any]:
    """Generate the loop over columns, by vectors of a kind, and the inner one over planes; return the minima.

    ``add`` generates the code that adds a plane to the sums. It is given the plane's vectors of codes and the
    address of the ``width`` bytes of the query for that plane.
    """
    address, stride, start, stop, query, planes = arguments
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
    _prefetch(builder, builder.gep(place, [_INT64(AHEAD)]))
    codes = [_vector(builder, builder.gep(place, [gap]), kind) for gap in gaps]
    new = add(totals, codes, builder.gep(query, [builder.mul(plane, _INT64(width))]))
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


def _packed(builder: Any, minima: list[Any]) -> Any:
    """Return the least of each vector as the bytes of one number."""
    packed = _INT64(0)
    for number, values in enumerate(minima):
        byte = builder.zext(_reduced(builder, values), _INT64)
        packed = builder.or_(packed, builder.shl(byte, _INT64(8 * number)))
    return packed


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
    return builder.bitcast(builder.shuffle_vector(alone, empty, _every_word(0, words.count)), kind)


def _every_word(value: int, count: int) -> Any:
    return ir.Constant(ir.VectorType(_INT32, count), [value] * count)


def _vector(builder: Any, place: Any, kind: Any) -> Any:
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)


def _prefetch(builder: Any, place: Any) -> None:
    """Ask for the cache line at an address, which may lie beyond the array."""
    to_read, all_levels, data = _INT32(0), _INT32(3), _INT32(1)
    pointer = _BYTE.as_pointer()
    prefetch = _declared(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, _INT32, _INT32, _INT32])
    builder.call(prefetch, [place, to_read, all_levels, data])


def _add_bits(builder: Any, total: Any, bytes_: Any, asked: Any) -> Any:
    """Add the number of differing bits of a vector of bytes to as many sums."""
    kind = total.type
    count = _declared(builder, f"llvm.ctpop.v{kind.count}i8", kind, [kind])
    return builder.add(total, builder.call(count, [builder.xor(bytes_, asked)]))


def _nearest_of(count: int) -> Any:
    """Return an intrinsic that does what :func:`_nearest` does for so many codes, one after the other.

    They are given as words, four times each byte; there are at least 64 columns; the minima are the bytes of
    one number.
    """

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def add(sums: list[Any], codes: list[Any], words: Any) -> list[Any]:
            new = []
            for number, total in enumerate(sums):
                word = builder.gep(words, [_INT64(number * CODE_BYTES * WORD_BYTES)])
                new.append(_add_bits(builder, total, codes[0], _splat(builder, word, _WIDE)))
            return new

        return _packed(builder, _build_minima(builder, arguments, _WIDE, 1, count, WORD_BYTES, add))

    def define(
        _context: Any, address: Any, stride: Any, start: Any, stop: Any, words: Any, planes: Any
    ) -> Any:
        signature = types.int64(types.uintp, types.int64, types.int64, types.int64, types.uintp, types.int64)
        return signature, build

    return intrinsic(define)


_nearest_two, _nearest_five = _nearest_of(TWO), _nearest_of(FIVE)


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


@compiled(types.int64(_planes, types.int64, types.int64, _words, types.int64, types.int64))
def _frame_minimum(codes: Planes, start: int, stop: int, words: Words, query: int, planes: int) -> int:
    """Return the distance of a query window to the nearest of a frame's windows."""
    if stop - start >= LANES:
        address = words.ctypes.data + query * CODE_BYTES * WORD_BYTES
        return int(_nearest(codes.ctypes.data, codes.strides[0], start, stop, address, planes))
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

    return _packed(builder, _build_minima(builder, arguments, _VECTOR, 1, FOUR, 2 * FOUR * NIBBLES, add))


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
    _context: Any, address: Any, stride: Any, start: Any, stop: Any, tables: Any, planes: Any
) -> Any:
    """Do what :func:`_nearest` does for four codes at once; the minima are the bytes of one number.

    Each half of a byte is looked up in a table of its Hamming distances to the query's halves: bytes are
    split once for four codes (André et al., VLDB 2015, do so for product quantisers).
    """
    signature = types.int64(types.uintp, types.int64, types.int64, types.int64, types.uintp, types.int64)
    return signature, _build_nearest_four if LOOKS_UP else lambda *_: _INT64(0)


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


@compiled(
    types.UniTuple(types.int64, 2)(
        _planes, types.int64, types.int64, _words, _tables, types.int64, types.int64
    )
)
def _next_minima(
    codes: Planes, start: int, stop: int, words: Words, tables: Planes, planes: int, query: int
) -> tuple[int, int]:
    """Return for how many queries, from one on, minima were found, and the minima as bytes of one number."""
    address, stride, left = codes.ctypes.data, codes.strides[0], len(words) - query
    if COUNTS and left >= TWO and stop - start >= WIDE_LANES:
        asked = words.ctypes.data + query * CODE_BYTES * WORD_BYTES
        if left >= FIVE:
            return FIVE, _nearest_five(address, stride, start, stop, asked, planes)
        return TWO, _nearest_two(address, stride, start, stop, asked, planes)
    if SHUFFLES and left >= FOUR and stop - start >= LANES:
        table = tables.ctypes.data + query // FOUR * tables.strides[0]
        return FOUR, _nearest_four(address, stride, start, stop, table, planes)
    return 1, _frame_minimum(codes, start, stop, words, query, planes)


@compiled(
    types.int64(
        _planes, types.int64, types.int64, _words, _tables, types.int64, types.int64, types.int64, _column
    )
)
def _add_minima(
    codes: Planes,
    start: int,
    stop: int,
    words: Words,
    tables: Planes,
    planes: int,
    cutoff: int,
    total: int,
    minima: Integers,
) -> int:
    """Replace a frame's minima by those over more planes, and return their new total.

    It stops early once the total is above the cut-off.
    """
    query = 0
    while query < len(words) and total <= cutoff:
        count, packed = _next_minima(codes, start, stop, words, tables, planes, query)
        for number in range(query, query + count):
            minimum = packed & 255
            packed >>= 8
            total += minimum - minima[number]
            minima[number] = minimum
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
    types.int64(_planes, types.int64, types.int64, _tables, types.int64, types.int64, types.int64, _column)
)
def _add_weighted_minima(
    codes: Planes,
    start: int,
    stop: int,
    tables: Planes,
    planes: int,
    cutoff: int,
    total: int,
    minima: Integers,
) -> int:
    """Do what :func:`_add_minima` does, for distances that are in tables for all queries."""
    for four in range(len(tables)):
        if total > cutoff:
            break
        packed = 0
        if LOOKS_UP and stop - start >= LANES:
            table = tables.ctypes.data + four * tables.strides[0]
            packed = _nearest_four(codes.ctypes.data, codes.strides[0], start, stop, table, planes)
        else:
            for number in range(FOUR):
                minimum = _looked_up_minimum(codes, start, stop, tables, four * FOUR + number, planes)
                packed |= minimum << (8 * number)
        for number in range(FOUR):
            minimum = (packed >> (8 * number)) & 255
            total += minimum - minima[four * FOUR + number]
            minima[four * FOUR + number] = minimum
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
    words, tables = _words_of(queries), _tables_of(queries)
    minima = np.zeros(len(queries), np.int64)
    count = 0
    for run in range(len(runs)):
        for frame in range(runs[run, 0], runs[run, 1]):
            start, stop = offsets[frame], offsets[frame + 1]
            if not mask[frame] or start == stop:
                continue
            judged[1] += 1
            total = 0
            minima[:] = 0
            if prefix < planes:
                total = _add_minima(codes, start, stop, words, tables, prefix, cutoff, total, minima)
                if total > cutoff:
                    continue
                judged[0] += 1
            total = _add_minima(codes, start, stop, words, tables, planes, cutoff, total, minima)
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
            if _nearest(address, stride, line, line + LINE, query, prefix) > cutoff:
                continue
            judged[0] += 1
            if prefix < planes and _nearest(address, stride, line, line + LINE, query, planes) > cutoff:
                continue
            stop = min(line + LINE, end)
            column = max(line, done)
            while column < stop:
                while offsets[frame + 1] <= column:
                    frame += 1
                column = offsets[frame + 1]
                if not mask[frame]:
                    continue
                total = _frame_minimum(codes, offsets[frame], column, words, 0, planes)
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
    minima = np.zeros(len(tables) * FOUR, np.int64)
    count = 0
    for run in range(len(runs)):
        for frame in range(runs[run, 0], runs[run, 1]):
            start, stop = offsets[frame], offsets[frame + 1]
            if not mask[frame] or start == stop:
                continue
            judged[1] += 1
            total = 0
            minima[:] = 0
            if prefix < planes:
                total = _add_weighted_minima(codes, start, stop, tables, prefix, cutoff, total, minima)
                if total > cutoff:
                    continue
                judged[0] += 1
            total = _add_weighted_minima(codes, start, stop, tables, planes, cutoff, total, minima)
            if total <= cutoff:
                found[count], sums[count] = frame, total
                count += 1
                cutoff, within = _counted(histogram, k, cutoff, within, total)
    return count
