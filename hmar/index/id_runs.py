"""Window ids as runs: those of a row of windows follow one another at one stride.

The ids of a frame take half a byte a window in this form, and four as they are. Any ids can be written so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import WindowIds

IdRuns = NDArray[np.uint32]
"""Shape (R, 2): the first id of each run; its stride in the upper 16 bits, its length in the lower ones."""

_SHIFT, _MOST = 16, (1 << 16) - 1


def to_runs(window_ids: WindowIds) -> IdRuns:
    """Return the ids of a frame, shape (W,), as runs; each is as long as it can be."""
    wide = window_ids.astype(np.int64)
    strides = wide[1:] - wide[:-1]
    starts = _starts(strides) if len(window_ids) else np.empty(0, np.int64)
    lengths = np.diff(starts, append=len(window_ids))
    of_run = np.append(strides, 0)[starts]
    packed = np.where(lengths > 1, of_run << _SHIFT, 0) | lengths
    return np.stack([window_ids[starts], packed.astype(np.uint32)], axis=1)


def _starts(strides: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where runs begin, given the distances between neighbouring ids; there is one id at least."""
    ends = np.append(np.flatnonzero(np.diff(strides)) + 1, len(strides))
    last_of = np.repeat(ends, np.diff(ends, prepend=0)).tolist()
    fits = ((strides >= 0) & (strides <= _MOST)).tolist()
    starts, start = [], 0
    while start < len(fits):
        starts.append(start)
        last = last_of[start] if fits[start] else start
        start = min(last, start + _MOST - 1) + 1
    if start == len(fits):
        starts.append(start)
    return np.array(starts, np.int64)


def to_ids(runs: IdRuns) -> WindowIds:
    """Return the ids that runs stand for."""
    firsts, strides, lengths = runs[:, 0], runs[:, 1] >> _SHIFT, runs[:, 1] & _MOST
    ends = np.cumsum(lengths, dtype=np.int64)
    places = np.arange(int(lengths.sum(dtype=np.int64))) - np.repeat(ends - lengths, lengths)
    ids: WindowIds = np.repeat(firsts, lengths) + np.repeat(strides, lengths) * places.astype(np.uint32)
    return ids
