"""The scan in numpy: the same answers as the compiled one, for machines on which that does not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hmar.index.planes import Planes
from hmar.values.codes import CodeArray

Integers = NDArray[np.int64]
Mask = NDArray[np.uint8]
_Distances = Callable[[Planes, slice], NDArray[np.uint8]]
CHUNK_COLUMNS = 1 << 17
"""Columns compared at a time: two bytes of temporary memory each, which stay in the processor's cache."""


def scan_frames(
    codes: Planes,
    starts: Integers,
    stops: Integers,
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
    """Find frames whose windows lie near those of a query.

    A frame's sum is, over the query's windows, that of the distances to its nearest window. Every frame that
    is among the k with the smallest sums, ties included, is found; others may be.

    Parameters
    ----------
    codes : ndarray of uint8, shape (16, W)
        Planes of window codes; see :mod:`hmar.index.planes`.
    starts, stops : ndarray of int64, shape (F,) each
        Where the windows of each frame that are compared begin, and where they end.
    runs : ndarray of int64, shape (R, 2)
        The frames looked at: from the first of each row to before the second, in order, never twice.
    mask : ndarray of uint8, shape (F,)
        Which frames of the runs are asked for: 0 for one that is neither counted nor found.
    queries : ndarray of uint8, shape (Q, 16)
        From one window.
    planes : int
        How many count: 8 or 16.
    prefix : int
        How many are read of every code before the rest, 1 to ``planes``. It changes no answer; numpy
        reads all.
    k : int
        From 1.
    limit : int
        Upper bound of the cut-off, however few frames are found; below the length of the histogram.
    histogram : ndarray of int64, shape (8 * planes * Q + 1,)
        How many frames are known of each sum. Those found are added.
    judged : ndarray of int64, shape (2,)
        Counters, added to: how much passed the prefix, and how much was looked at.
    found, sums : ndarray of int64, shape (frames of all runs,)
        Filled with frames, in order, and their sums.

    Returns
    -------
    int
        How many were found. Frames without windows never are.
    """
    asked = [partial(plane_distances, query=query, planes=planes) for query in queries]
    return _scan(codes, starts, stops, runs, mask, asked, limit, histogram, found, sums)


scan_columns = scan_frames


def scan_weighted(
    codes: Planes,
    starts: Integers,
    stops: Integers,
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
    """Scan for queries whose bits have weights; see :func:`scan_frames`.

    ``tables``, of shape (ceil(Q / 4), 16, 4, 2, 16), are those of
    :attr:`hmar.index.weighted.WeightedCodes.tables`.
    """
    by_query = tables.transpose(0, 2, 1, 3, 4).reshape(-1, *tables.shape[1:2], *tables.shape[3:])
    asked = [partial(_looked_up, tables=table, planes=planes) for table in by_query]
    return _scan(codes, starts, stops, runs, mask, asked, limit, histogram, found, sums)


def _scan(
    codes: Planes,
    starts: Integers,
    stops: Integers,
    runs: Integers,
    mask: Mask,
    asked: Sequence[_Distances],
    limit: int,
    histogram: Integers,
    found: Integers,
    sums: Integers,
) -> int:
    count = 0
    for first, last in runs.tolist():
        for frames in _chunks(starts, stops, first, last):
            columns = slice(starts[frames[0]], stops[frames[-1]])
            # Between two frames may lie windows that are not compared. reduceat takes no end of the whole.
            bounds = np.stack([starts[frames], stops[frames]], axis=1).ravel()[:-1] - columns.start
            totals = np.zeros(len(frames), np.int64)
            for distances in asked:
                totals += np.minimum.reduceat(distances(codes, columns), bounds)[::2]
            near = np.flatnonzero((totals <= limit) & (mask[frames] > 0))
            found[count : count + len(near)] = frames[near]
            sums[count : count + len(near)] = totals[near]
            count += len(near)
            np.add.at(histogram, totals[near], 1)
    return count


def _looked_up(codes: Planes, columns: slice, tables: Planes, planes: int) -> NDArray[np.uint8]:
    """Add up what a query's tables (16, 2, 16) have of a run of codes; 255 at most."""
    distances = np.zeros(columns.stop - columns.start, np.uint8)
    for plane in range(planes):
        byte, (lower, upper) = codes[plane, columns], tables[plane]
        distances += lower[byte & 15] + upper[byte >> 4]
    return distances


def plane_distances(codes: Planes, columns: slice, query: CodeArray, planes: int) -> NDArray[np.uint8]:
    """Compare a run of codes with one code over the first planes; at most 128 bits differ."""
    distances: NDArray[np.uint8] = np.bitwise_count(codes[0, columns] ^ query[0])
    for plane in range(1, planes):
        distances += np.bitwise_count(codes[plane, columns] ^ query[plane])
    return distances


def _chunks(starts: Integers, stops: Integers, first: int, last: int) -> Iterator[Integers]:
    """Yield the frames of a run that have windows, a bounded number of windows at a time."""
    # reduceat is wrong for empty segments: frames without windows are left out.
    occupied = first + np.flatnonzero(stops[first:last] > starts[first:last])
    ends = stops[occupied]
    at = 0
    while at < len(occupied):
        stop = int(np.searchsorted(ends, starts[occupied[at]] + CHUNK_COLUMNS, side="right"))
        yield occupied[at : max(stop, at + 1)]
        at = max(stop, at + 1)
