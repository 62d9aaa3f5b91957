"""Images in folders: a tree of files below a root, and the store of uploaded bytes."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hmar.adapters.common.sources import absent, too_large
from hmar.errors import NotFoundError, UnavailableError
from hmar.files import sync_folder, write_file
from hmar.locks import locked

REMOVING_WAIT_S = 5.0
"""Uploads may come without a pause: whoever wants to remove some does not wait longer."""
_POLL_S = 0.02
_log = logging.getLogger(__name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FolderSource:
    """The files below a root; a :class:`hmar.ports.ImageSource`.

    A reference is a path relative to the root, or an absolute one inside it. Nothing outside the root is ever
    read: ``..`` is refused, and so is a symbolic link that leads out. Names that begin with a dot are skipped
    in listings, as shells do.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self, reference: str) -> Iterator[str]:
        """Yield the references of all files at or below a file or folder, sorted by folder, then by name."""
        start = self._resolve(reference)
        if start.is_file():
            yield self._reference(start)
            return
        empty = True
        for folder, folders, files in os.walk(start, onerror=_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(name for name in files if not name.startswith(".")):
                empty = False
                yield self._reference(Path(folder, name))
        if empty:
            raise NotFoundError(
                "There is no file in the folder.", "Give a file, or a folder that holds some."
            )

    def fetch(self, reference: str, max_bytes: int) -> bytes:
        """Return a file's bytes; raises NotFoundError, or LimitError above ``max_bytes``."""
        return _read(self._resolve(reference), max_bytes)

    def _resolve(self, reference: str) -> Path:
        root = self._root.resolve()
        if ".." in Path(reference).parts:
            raise NotFoundError("The path contains '..'.", "Give a path without it, below the import folder.")
        try:
            path = (root / reference).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise absent() from error
        if not path.is_relative_to(root):
            raise NotFoundError(
                "The path leads out of the folder that may be read.",
                "Give a path below the import folder (HMAR_IMPORT_DIR), not a link out of it.",
            )
        return path

    def _reference(self, path: Path) -> str:
        """Return the path below the root; bytes that are no UTF-8 are replaced: databases refuse them."""
        relative = os.fsencode(path.relative_to(self._root.resolve()))
        return relative.decode("utf-8", errors="replace").replace(os.sep, "/")


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
        path = self._path(digest)
        try:
            if path.is_file():
                if _intact(path, digest):
                    return digest
                self._quarantine(path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_file(path, data)
            if _intact(path, digest):
                return digest
            self._quarantine(path)
        except OSError as error:
            raise _not_written(error) from error
        raise UnavailableError(
            "An upload was not stored as it was sent: what was read back differs.",
            "Check the disk and the memory of this machine.",
        )

    def check(self, reference: str) -> bool:
        """Return whether a stored file is what its name says; one that is not is moved to quarantine."""
        path = self._path(reference)
        try:
            return _intact(path, reference) or self._quarantine(path)
        except FileNotFoundError:
            return True  # removed meanwhile
        except OSError:
            return False

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

    def fetch(self, reference: str, max_bytes: int) -> bytes:
        """Return the bytes.

        Raises
        ------
        NotFoundError
            If there are none, or they are not what was sent.
        LimitError
            If there are more than ``max_bytes``.
        """
        path = self._path(reference)
        data = _read(path, max_bytes)
        if hashlib.sha256(data).hexdigest() == reference:
            return data
        try:
            if self._quarantine(path):  # another process has stored it anew meanwhile
                return _read(path, max_bytes)
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
        if _intact(moved, path.name):
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
    except OSError:
        return False


def _not_written(error: OSError) -> UnavailableError:
    return UnavailableError(
        f"The upload store cannot be written ({error.strerror}).", "Free some space in HMAR_HOME."
    )


def _read(path: Path, max_bytes: int) -> bytes:
    # A pipe or a device would block or never end.
    if not path.is_file():
        raise absent()
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
            size = max(os.fstat(file.fileno()).st_size, len(data))
    except OSError as error:
        raise NotFoundError(
            f"The file cannot be read ({error.strerror}).", "Check its permissions."
        ) from error
    if size > max_bytes:
        raise too_large(size, max_bytes)
    return data


def _unreadable(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):
        raise absent() from error
    raise NotFoundError(f"A folder cannot be listed ({error.strerror}).", "Check its permissions.") from error
