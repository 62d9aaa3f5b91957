"""SQLite's write-ahead log, looked at before SQLite reads it: whether commits lie behind damage.

SQLite ends at the first frame whose checksum differs, as it must after a power cut, and says nothing. Commits
behind that frame are then lost. Each checksum continues the one before it, so that the frames behind can
still be told to be whole. The format: https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = 32
_FRAME_HEADER = 24
_BIG_ENDIAN = 1
"""The lowest bit of the first number; checksums are of big-endian numbers then."""
_LEAST_PAGE, _USUAL_PAGE, _LARGEST_PAGE = 512, 4096, 65536
_FRAMES_AT_ONCE = 512
_Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Frames:
    """Some frames that follow each other.

    Parameters
    ----------
    salts : ndarray (frames, 2)
        Drawn whenever the log begins anew.
    whole : ndarray of bool
        Whether the checksum of each continues that of the frame before it.
    commits : ndarray of bool
        Whether each is the last of a transaction.
    """

    salts: _Numbers
    whole: NDArray[np.bool_]
    commits: NDArray[np.bool_]


def lost_commits(path: Path) -> int:
    """Return how many commits SQLite will not find, for they lie behind damage.

    Parameters
    ----------
    path : Path
        The write-ahead log. It may be absent, or be written meanwhile.
    """
    try:
        before = _header(path)
        lost = 0 if before is None else _lost(path, before)
        # A log that began anew meanwhile holds frames of both; then SQLite has read it already.
        return lost if before == _header(path) else 0
    except FileNotFoundError:
        return 0


def _header(path: Path) -> bytes | None:
    with path.open("rb") as file:
        header = file.read(_HEADER)
    return header if len(header) == _HEADER else None


def _lost(path: Path, header: bytes) -> int:
    numbers = np.frombuffer(header, ">u4")
    kind = ">u4" if numbers[0] & _BIG_ENDIAN else "<u4"
    own = _checksums(np.frombuffer(header, kind)[None, :6], np.zeros((1, 2), np.uint32))[0]
    if (own == numbers[6:]).all():
        return _lost_frames(path, numbers, kind, intact=True)
    return max(_lost_frames(path, numbers, either, intact=False) for either in ("<u4", ">u4"))


def _lost_frames(path: Path, numbers: NDArray[Any], kind: str, intact: bool) -> int:
    """Count the commits that are lost; ``intact`` says whether the header is, else nothing is found."""
    page = int(numbers[2])
    if not (_LEAST_PAGE <= page <= _LARGEST_PAGE and page & (page - 1) == 0):
        page = _USUAL_PAGE
    stride = _FRAME_HEADER + page
    count = max(0, path.stat().st_size - _HEADER) // stride
    salts, seed, lost = numbers[4:6], numbers[6:], 0
    for start in range(0, count, _FRAMES_AT_ONCE):
        some = min(_FRAMES_AT_ONCE, count - start)
        raw = np.fromfile(path, np.uint8, some * stride, offset=_HEADER + start * stride)
        rows = raw[: len(raw) // stride * stride].reshape(-1, stride)
        if not len(rows):
            break
        if start == 0 and not intact:
            salts = rows[0, 8:16].view(">u4")  # those of the header may be what is damaged
        frames, seed = _frames(rows, kind, seed)
        good = frames.whole & (frames.salts == salts).all(axis=1)
        if intact:
            bad = np.flatnonzero(~good)
            intact = not len(bad)
            good[: bad[0] if len(bad) else len(good)] = False  # those SQLite finds
        lost += int((good & frames.commits).sum())
    return lost


def _frames(rows: NDArray[np.uint8], kind: str, seed: NDArray[Any]) -> tuple[_Frames, _Numbers]:
    """Return what some frames say, and the checksum of the last; ``seed`` is that of the frame before."""
    heads = np.ascontiguousarray(rows[:, :_FRAME_HEADER]).view(">u4").astype(np.uint32)
    stored = heads[:, 4:6]
    before = np.vstack([np.asarray(seed, np.uint32)[None], stored[:-1]])
    summed = np.ascontiguousarray(np.hstack([rows[:, :8], rows[:, _FRAME_HEADER:]])).view(kind)
    whole = (_checksums(summed, before) == stored).all(axis=1)
    return _Frames(heads[:, 2:4], whole, heads[:, 1] != 0), stored[-1]


def _checksums(numbers: NDArray[Any], seeds: _Numbers) -> _Numbers:
    """Continue one checksum in each row: for each pair, s0 += x0 + s1 and s1 += x1 + s0, modulo 2**32.

    That is linear: each pair counts as often as the later ones pass it on, which are Fibonacci numbers.
    """
    pairs = numbers.astype(np.uint32).reshape(len(numbers), -1, 2)
    fibonacci = np.zeros(2 * pairs.shape[1] + 2, np.uint64)
    fibonacci[1] = 1
    for place in range(2, len(fibonacci)):
        fibonacci[place] = (fibonacci[place - 1] + fibonacci[place - 2]) & np.uint64(0xFFFFFFFF)
    small = fibonacci.astype(np.uint32)
    last = 2 * pairs.shape[1]
    # With n pairs to come, x0 adds F(2n + 1) to s0 and F(2n + 2) to s1; x1 adds F(2n) and F(2n + 1).
    to_come = 2 * np.arange(pairs.shape[1] - 1, -1, -1)
    sums = [
        pairs[:, :, 0] @ small[to_come + 1 + more]
        + pairs[:, :, 1] @ small[to_come + more]
        + seeds[:, 0] * small[last - 1 + more]
        + seeds[:, 1] * small[last + more]
        for more in (0, 1)
    ]
    return np.stack(sums, axis=1)
