"""The store of uploaded bytes."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hmar.adapters.common.files import file_content
from hmar.adapters.common.sources import absent
from hmar.contents import Content, digest_of
from hmar.disk import write_error
from hmar.errors import NotFoundError, OperatorError, UnavailableError
from hmar.files import new_file, sync_folder, write_file
from hmar.locks import locked

REMOVING_WAIT_S = 5.0
"""Uploads may come without a pause: whoever wants to remove some does not wait longer."""
_POLL_S = 0.02
_log = logging.getLogger(__name__)
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK})
"""What a file system says that has no second names for a file, or not for this one."""
_COPIED_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class UploadStore:
    """Bytes that came with a request, stored once under their SHA-256; a :class:`hmar.ports.ImageSource`.

    They are read back after they are written, and compared with their name whenever they are read. A file
    that differs is moved to ``quarantine`` below the root.

    Parameters
    ----------
    root : Path
        The folder that holds them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Store bytes, whole or not at all, and return their reference: the SHA-256 in hex."""
        digest = hashlib.sha256(data).hexdigest()
        self._store(digest, lambda path: write_file(path, data))
        return digest

    def adopt(self, path: Path, reference: str) -> None:
        """Store a file that lies on the disk under its SHA-256; the file itself stays.

        Nothing is copied on one file system: the file has two names then.
        """
        self._store(reference, lambda target: _linked(path, target))

    def _store(self, digest: str, write: Callable[[Path], None]) -> None:
        path = self._path(digest)
        try:
            if path.is_file():
                if _intact(path, digest):
                    return
                self._quarantine(path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write(path)
            if _intact(path, digest):
                return
            self._quarantine(path)
        except OSError as error:
            raise _not_written(error) from error
        raise UnavailableError(
            "An upload was not stored as it was sent: what was read back differs.",
            "Check the disk and the memory of this machine.",
        )

    def check(self, reference: str) -> bool:
        """Return whether a stored file is what its name says; one that is not is moved to quarantine.

        Raises
        ------
        UnavailableError
            If that cannot be told, for the file cannot be read; then it stays.
        """
        path = self._path(reference)
        try:
            return _intact(path, reference) or self._quarantine(path)
        except FileNotFoundError:
            return True  # removed meanwhile
        except OSError as error:
            raise UnavailableError(
                f"An upload cannot be read ({error.strerror}).",
                "Check the permissions of the folder uploads.",
            ) from error

    def references(self) -> Iterator[str]:
        """Yield the references of all that is stored."""
        for folder, _, files in os.walk(self._root):
            yield from (name for name in files if self._path_if_digest(name) == Path(folder, name))

    def remove(self, reference: str) -> bool:
        """Remove what is stored under a reference; return whether anything was."""
        path = self._path(reference)
        try:
            for damaged in (self._root / "quarantine").glob(f"{reference}.*"):
                damaged.unlink()
            path.unlink()
            sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UnavailableError(
                f"An upload cannot be removed ({error.strerror}).",
                "Check the permissions of the folder uploads.",
            ) from error
        return True

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Hold off removing for as long as the context lasts; any number may receive at once."""
        with locked(self._lock(), exclusive=False, wait=True):
            yield

    @contextmanager
    def removing(self) -> Iterator[bool]:
        """Hold off receiving for as long as the context lasts; False if that could not be had in time."""
        path, end = self._lock(), time.monotonic() + REMOVING_WAIT_S
        while True:
            with locked(path, exclusive=True, wait=False) as held:
                if held or time.monotonic() > end:
                    yield held
                    return
            time.sleep(_POLL_S)

    def _lock(self) -> Path:
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _not_written(error) from error
        return self._root / ".lock"

    def list(self, reference: str) -> Iterator[str]:
        """Yield the reference itself, if it is stored."""
        if not self._path(reference).is_file():
            raise absent()
        yield reference

    def fetch(self, reference: str, max_bytes: int) -> Content:
        """Return the bytes.

        Raises
        ------
        NotFoundError
            If there are none, or they are not what was sent.
        LimitError
            If there are more than ``max_bytes``.
        """
        path = self._path(reference)
        data = file_content(path, max_bytes)
        if digest_of(data) == reference:
            return data
        try:
            if self._quarantine(path):  # another process has stored it anew meanwhile
                return file_content(path, max_bytes)
        except OSError:
            _log.error("Upload %s is damaged and cannot be moved to quarantine.", reference)
        raise NotFoundError(
            f"The upload {reference} is damaged: its bytes are not those that were sent.",
            "Send the file again. The operator runs 'hmar doctor' and checks the disk.",
        )

    def _quarantine(self, path: Path) -> bool:
        """Move a damaged file away; put it back and return True if it turns out to be intact."""
        folder = self._root / "quarantine"
        folder.mkdir(mode=0o700, exist_ok=True)
        moved = folder / f"{path.name}.{secrets.token_hex(4)}"
        path.replace(moved)
        try:
            intact = _intact(moved, path.name)
        except OSError:
            moved.replace(path)
            raise
        if intact:
            moved.replace(path)
            return True
        _log.error("Upload %s is damaged: it was moved to quarantine.", path.name)
        return False

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFoundError(
                f"{digest!r} is not the reference of an upload.", "Give 64 hexadecimal digits."
            )
        return self._root / digest[:2] / digest

    def _path_if_digest(self, name: str) -> Path | None:
        return self._path(name) if _DIGEST.fullmatch(name) else None


def _intact(path: Path, digest: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError as error:
        if error.errno == errno.EIO:
            return False  # the disk has lost a part of it
        raise  # with no descriptor left, say, nothing is known of the file


def _linked(source: Path, target: Path) -> None:
    """Give a file a second name, and where that is not possible, copy it."""
    try:
        os.link(source, target)
    except FileExistsError:
        return  # another process has stored it meanwhile
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with source.open("rb") as file, new_file(target) as copy:
            shutil.copyfileobj(file, copy, _COPIED_BYTES)
    else:
        sync_folder(target.parent)


def _not_written(error: OSError) -> OperatorError:
    return write_error("The upload store", error)
