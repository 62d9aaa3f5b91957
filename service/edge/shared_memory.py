"""Tables in memory that the web processes of one server share.

::

    file     tables of SETS sets of WAYS rows each
    row      digest of the name (16 bytes), value, second in which it was set; all zero where it is free

A name has its place in one set. A set that is full forgets the row that was set longest ago. Whoever reads or
changes a set holds a record lock on its bytes, of which the kernel lets go when a process dies. Locks are the
process's, not the file's, so that the table is for one thread of each process.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.edge.remembered import MOST, Change, Pair

_ROW = struct.Struct("<16s2d")
_FREE = bytes(_ROW.size)
WAYS = 8
SETS = MOST // WAYS
_SET_BYTES = WAYS * _ROW.size
_TABLE_BYTES = SETS * _SET_BYTES


def make_shared_file(path: Path, tables: int) -> None:
    """Make the file of so many empty tables.

    It is written and not only made as long: where a disk that is full has no room for a page that is mapped,
    the process that touches it is killed (mmap(2): SIGBUS).
    """
    with path.open("xb") as file:
        file.write(bytes(tables * _TABLE_BYTES))


class SharedFile:
    """The tables of one file. A process opens it once: to close a second one would let go of its locks.

    Parameters
    ----------
    path : Path
        As :func:`make_shared_file` made it.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.descriptor)
        self.memory = mmap.mmap(self.descriptor, 0)

    def table(self, number: int) -> SharedTable:
        """Return a table, from 0."""
        return SharedTable(self, number * _TABLE_BYTES)


class SharedTable:
    """A :class:`service.edge.remembered.Remembered` of several processes.

    Parameters
    ----------
    file : SharedFile
    start : int
        Where the table begins in it.
    """

    def __init__(self, file: SharedFile, start: int) -> None:
        self._file = file
        self._memory = file.memory
        self._start = start

    def get(self, name: str) -> Pair | None:
        """Return the pair of a name, None where there is none."""
        digest, place = self._place(name)
        with self._locked(place):
            _, pair = self._found(digest, place)
        return pair

    def change(self, name: str, change: Change) -> None:
        """Put another pair in the place of the one of a name; nobody changes it meanwhile."""
        digest, place = self._place(name)
        with self._locked(place):
            row, pair = self._found(digest, place)
            _ROW.pack_into(self._memory, row, digest, *change(pair))

    def drop(self, name: str) -> None:
        """Forget a name."""
        digest, place = self._place(name)
        with self._locked(place):
            row, pair = self._found(digest, place)
            if pair is not None:
                self._memory[row : row + _ROW.size] = _FREE

    def clear(self) -> None:
        """Forget all names."""
        self._memory[self._start : self._start + _TABLE_BYTES] = bytes(_TABLE_BYTES)

    def _place(self, name: str) -> tuple[bytes, int]:
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        return digest, self._start + int.from_bytes(digest[:4], "little") % SETS * _SET_BYTES

    @contextmanager
    def _locked(self, place: int) -> Iterator[None]:
        fcntl.lockf(self._file.descriptor, fcntl.LOCK_EX, _SET_BYTES, place, os.SEEK_SET)
        try:
            yield
        finally:
            fcntl.lockf(self._file.descriptor, fcntl.LOCK_UN, _SET_BYTES, place, os.SEEK_SET)

    def _found(self, digest: bytes, place: int) -> tuple[int, Pair | None]:
        """Return where the row of a name is and its pair, or the place for one: free, or set longest ago."""
        oldest, oldest_at = place, float("inf")
        for row in range(place, place + _SET_BYTES, _ROW.size):
            known, value, at = _ROW.unpack_from(self._memory, row)
            if known == digest:
                return row, (value, at)
            if at < oldest_at:
                oldest, oldest_at = row, at
        return oldest, None
