"""The bytes of a file: of a small one in memory, of a large one on the disk, read where they are asked for.

Both are asked alike: for their length, for a slice, and where something stands in them.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

HELD_BYTES: Final = 32 << 20
"""A file of at most this size is read into memory."""
PIECE_BYTES: Final = 1 << 20
"""Most that is read of a larger one at a time, unless more is asked for."""


class FileBytes:
    """Bytes of an open file, of which nothing is held: a slice reads from the disk.

    Safe between threads and after a fork, for no position in the file is kept.

    Parameters
    ----------
    descriptor : int
        Of a file that can be read at any place. It is not closed here; see :meth:`owning`.
    start, size : int
        Which bytes of the file.
    """

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self.descriptor, self.start, self._size = descriptor, start, size
        self._whole: FileBytes | None = None

    @classmethod
    def owning(cls, descriptor: int) -> FileBytes:
        """Return all bytes of a file, which is closed when nobody refers to them any more."""
        whole = cls(descriptor, 0, os.fstat(descriptor).st_size)
        weakref.finalize(whole, os.close, descriptor)
        return whole

    def part(self, start: int, stop: int) -> FileBytes:
        """Return some of the bytes, without reading them."""
        part = FileBytes(self.descriptor, self.start + start, stop - start)
        part._whole = self  # keeps the file open
        return part

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, wanted: slice) -> bytes:
        """Return a slice; raises OSError if the file has become shorter than it was."""
        start, stop, step = wanted.indices(self._size)
        if step != 1:
            raise ValueError(f"a step of {step} is not read")
        pieces, at = [], start
        while at < stop:
            piece = os.pread(self.descriptor, stop - at, self.start + at)
            if not piece:
                raise OSError("the file has become shorter while it was read")
            pieces.append(piece)
            at += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def find(self, wanted: bytes, start: int = 0, stop: int | None = None) -> int:
        """Return where something stands first, -1 where it does not; read piece by piece."""
        stop = self._size if stop is None else min(stop, self._size)
        while start < stop:
            piece = self[start : min(stop, start + PIECE_BYTES)]
            found = piece.find(wanted)
            if found >= 0:
                return start + found
            if start + len(piece) == stop:
                break
            start += len(piece) - len(wanted) + 1
        return -1


Content = bytes | FileBytes


def pieces(content: Content) -> Iterator[bytes]:
    """Yield the bytes piece by piece."""
    if isinstance(content, bytes):
        yield content
        return
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


class Collected:
    """Gathers bytes that come piece by piece: in memory, and beyond ``HELD_BYTES`` in a file without a name.

    Parameters
    ----------
    folder : Path or None
        Where that file is made; None takes the system's folder for temporary files.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._held, self.size = folder, bytearray(), 0
        self._file: int | None = None

    def add(self, piece: bytes) -> None:
        """Add bytes at the end; raises OSError where the disk takes no more."""
        self._held += piece
        self.size += len(piece)
        if self.size > HELD_BYTES and len(self._held) >= PIECE_BYTES:
            self._flush()

    def content(self) -> Content:
        """Return all that was added; nothing is added any more."""
        if self._file is None:
            return bytes(self._held)
        self._flush()
        content = FileBytes.owning(_for_reading(self._file))
        self.close()
        return content

    def close(self) -> None:
        """Give up what was not asked for."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _flush(self) -> None:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                self._file = os.dup(file.fileno())
        view = memoryview(bytes(self._held))
        while view:
            view = view[os.write(self._file, view) :]
        self._held.clear()


def _for_reading(descriptor: int) -> int:
    """Return another descriptor of a file without a name, by which it cannot be written: decoders get it."""
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # not Linux
        return os.dup(descriptor)


def digest_of(content: Content) -> str:
    """Return the SHA-256 of the bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces(content):
        digest.update(piece)
    return digest.hexdigest()


def stream_of(content: Content) -> BinaryIO:
    """Return a stream over the bytes, at their beginning."""
    return io.BytesIO(content) if isinstance(content, bytes) else io.BufferedReader(_Raw(content))


class _Raw(io.RawIOBase):
    """An unbuffered stream over bytes of a file."""

    name = ""
    """There is none: what reads from streams asks for it."""

    def __init__(self, content: FileBytes) -> None:
        self._content, self._at = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        piece = self._content[self._at : self._at + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
