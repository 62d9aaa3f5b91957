"""Arrays in files: written in parts with a checksum, memory-mapped, and verified later.

A file is NumPy's .npy: a header with dtype and shape, then the numbers. A mapped array needs no private
memory, and processes that map the same file share one copy of it.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.errors import SnapshotError
from hmar.files import sync_file

CHECKED_BYTES = 1 << 24
"""A check asks this often whether to go on."""


@dataclass(frozen=True, slots=True)
class ArrayParts:
    """An array that is produced part by part while it is written, and is never in memory as a whole.

    Parameters
    ----------
    shape : tuple of int
    parts : callable
        Returns its numbers, in C order.
    """

    shape: tuple[int, ...]
    parts: Callable[[], Iterable[NDArray[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class StoredArray:
    """An array mapped from a file, and its checksum.

    Parameters
    ----------
    values : ndarray
        Read-only.
    sha256 : str
        Of its numbers.
    """

    values: NDArray[Any]
    sha256: str
    _mapping: mmap.mmap | None

    def check(self, name: str, stopped: Callable[[], bool]) -> None:
        """Verify the checksum; raises SnapshotError if one bit differs.

        Parameters
        ----------
        name : str
            For the message.
        stopped : callable
            True ends the check early, without an error.
        """
        digest = hashlib.sha256()
        data = self.values.reshape(-1).view(np.uint8)
        for at in range(0, len(data), CHECKED_BYTES):
            digest.update(data[at : at + CHECKED_BYTES].data)
            if stopped():
                return
        if digest.hexdigest() != self.sha256:
            raise corrupt(f"{name}.npy was altered")

    def forget(self) -> None:
        """Release the pages that a check has read; they are read again when used."""
        if self._mapping is not None:
            self._mapping.madvise(mmap.MADV_DONTNEED)


def write_array(path: Path, dtype: str, array: NDArray[Any] | ArrayParts) -> str:
    """Write an array, synced to the disk; return its checksum."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        file.write(_header(dtype, array.shape))
        for part in array.parts() if isinstance(array, ArrayParts) else [array]:
            data = np.ascontiguousarray(part, dtype).reshape(-1).view(np.uint8)
            digest.update(data.data)
            file.write(data.data)
        sync_file(file)
    return digest.hexdigest()


def map_array(path: Path, dtype: str, shape: tuple[int, ...], sha256: str) -> StoredArray:
    """Map an array.

    Raises
    ------
    SnapshotError
        If the file's size or header is another than it was written with.
    """
    header = _header(dtype, shape)
    size = len(header) + int(np.prod(shape)) * np.dtype(dtype).itemsize
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != size or file.read(len(header)) != header:
            raise corrupt(f"{path.name} is not {dtype} {shape}")
        if size == len(header):
            return StoredArray(np.empty(shape, dtype), sha256, None)
        mapping = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    values = np.frombuffer(mapping, dtype, offset=len(header)).reshape(shape)
    return StoredArray(values, sha256, mapping)


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def corrupt(reason: str) -> SnapshotError:
    """Return the error for a snapshot that must not be used."""
    return SnapshotError(
        f"The index snapshot is not what was written: {reason}.",
        "Nothing is lost: the index is rebuilt from the log. Check the disk if this comes again.",
    )
