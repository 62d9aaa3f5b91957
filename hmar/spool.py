"""Files that were pushed here and are not in an index job yet: what is kept in it outlives every process.

A file is written under a hidden name, reaches the disk, and is then named in a folder of its collection: by
its SHA-256, and by a number of its own, so that nobody forgets what somebody else was told is kept. Whoever
pushed it is told of success after that. Which index job takes it comes later.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hmar.contents import HELD_BYTES, Content, FileBytes
from hmar.disk import writing
from hmar.errors import LimitError
from hmar.files import sync_file, sync_folder
from hmar.locks import locked

STOW, LISTENER = "stow", "listener"
"""Who receives: each has a folder of its own."""
PREAMBLE_BYTES = 128
"""Before "DICM" (PS3.10 7.1). Anything may be in it, a program too: it is not kept."""
CHECKED_BYTES = 64 << 20
"""So often, while a file comes, is looked whether there is room."""
_PREFIX = b"DICM"
_KEPT = re.compile(r"([0-9a-f]{64})\.[0-9a-f]{16}")
DAMAGED = ".damaged"
"""Added to the name of a file that is not what came any more: no job takes it."""
_log = logging.getLogger(__name__)


class Spooled(NamedTuple):
    """A file that was received whole: for which collection, its SHA-256 in hex, and where it lies."""

    collection: str
    reference: str
    path: Path


class Draft:
    """A file that is being received.

    Parameters
    ----------
    folder : Path
        Of its collection; created where needed.
    max_bytes : int
        Most that it may have.
    check_room : callable
        Raises OperatorError where the disk has no room; called now and while the file comes.
    """

    def __init__(self, folder: Path, max_bytes: int, check_room: Callable[[], None]) -> None:
        self._folder, self._max_bytes, self._check_room = folder, max_bytes, check_room
        self._digest, self._checked, self.size = hashlib.sha256(), 0, 0
        self._head: bytearray | None = bytearray()
        check_room()
        with writing("The spool"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # The form of a hidden file that is swept when it is nobody's any more (hmar.files).
            self.path = folder / f".received.{secrets.token_hex(8)}"
            """Where it is until it is kept."""
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self.path, flags, 0o600), "w+b")

    def write(self, piece: bytes) -> None:
        """Add bytes.

        Raises
        ------
        LimitError
            If there are more than are allowed.
        OperatorError
            If the disk takes no more.
        """
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise LimitError(
                f"A file of more than {self._max_bytes} bytes is not received.",
                "Raise HMAR_MAX_FILE_BYTES to index it.",
            )
        if self.size - self._checked > CHECKED_BYTES:
            self._checked = self.size
            self._check_room()
        if self._head is not None:
            piece = self._headed(self._head, piece)
        self._put(piece)

    def content(self) -> Content:
        """Return what was received, for reading alone: it is handed to a decoder, and kept after that."""
        self._finish()
        if self.size <= HELD_BYTES:
            return os.pread(self._file.fileno(), self.size, 0)
        return FileBytes.owning(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC))

    def keep(self, collection: str) -> Spooled:
        """Return when the file is on the disk, named by its digest and a number of its own."""
        self._finish()
        reference = self._digest.hexdigest()
        path = self._folder / f"{reference}.{secrets.token_hex(8)}"
        with writing("The spool"):
            sync_file(self._file)
            self.path.replace(path)
            sync_folder(self._folder)
        self._file.close()
        return Spooled(collection, reference, path)

    def discard(self) -> None:
        """Forget what was received, unless it was kept."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _headed(self, head: bytearray, piece: bytes) -> bytes:
        """Hold back the first bytes until it is known whether a preamble is among them."""
        head += piece
        if len(head) < PREAMBLE_BYTES + len(_PREFIX):
            return b""
        whole, self._head = bytes(head), None
        if whole[PREAMBLE_BYTES : PREAMBLE_BYTES + len(_PREFIX)] == _PREFIX:
            return bytes(PREAMBLE_BYTES) + whole[PREAMBLE_BYTES:]
        return whole

    def _finish(self) -> None:
        if self._head:
            piece, self._head = bytes(self._head), None
            self._put(piece)
        with writing("The spool"):
            self._file.flush()

    def _put(self, piece: bytes) -> None:
        with writing("The spool"):
            self._file.write(piece)
        self._digest.update(piece)


class Spool:
    """The files that wait, by who received them and for which collection.

    Parameters
    ----------
    root : Path
        A folder that holds nothing else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def draft(self, receiver: str, collection: str, max_bytes: int, check_room: Callable[[], None]) -> Draft:
        """Begin to receive a file; raises OperatorError where there is no room."""
        return Draft(self._root / receiver / collection, max_bytes, check_room)

    def waiting(self, receiver: str | None = None, older_than_s: float = 0.0) -> Iterator[Spooled]:
        """Yield the files that were received whole: of one receiver or of all, and not just now."""
        before = time.time() - older_than_s
        for path in sorted(self._root.glob(f"{receiver or '*'}/*/*")):
            kept = _KEPT.fullmatch(path.name)
            if kept and _modified(path) <= before:
                yield Spooled(path.parent.name, kept[1], path)

    def damaged(self) -> list[Path]:
        """Return the files that were set aside: what the disk holds of them is not what came."""
        return sorted(self._root.glob(f"*/*/*{DAMAGED}"))

    @contextmanager
    def sweeping(self) -> Iterator[bool]:
        """Keep other sweeps out for as long as the context lasts; False where another one is at it."""
        with writing("The spool"), locked(self._root / ".lock", exclusive=True, wait=False) as held:
            yield held

    def set_damaged_aside(self, files: Iterable[Spooled]) -> None:
        """Rename files that the disk has changed since they came, so that they hold up no others."""
        for file in files:
            if _is_damaged(file):
                with writing("The spool"):
                    file.path.replace(f"{file.path}{DAMAGED}")
                _log.error("A received file is damaged, and was set aside: %s%s", file.path.name, DAMAGED)

    def remove(self, files: Iterable[Spooled]) -> None:
        """Forget files that an index job has."""
        for file in files:
            with writing("The spool"):
                file.path.unlink(missing_ok=True)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")  # taken meanwhile


def _is_damaged(file: Spooled) -> bool:
    try:
        with file.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() != file.reference
    except OSError as error:
        return error.errno == errno.EIO  # otherwise nothing is known of it
