"""Image sources in memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hmar.adapters.common.sources import absent, too_large
from hmar.contents import Content


class MemorySource:
    """A :class:`hmar.ports.ImageSource` over a mapping.

    Parameters
    ----------
    files : mapping of str to bytes
        Contents by reference; a "/" in a reference separates folders, as in paths.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def list(self, reference: str) -> Iterator[str]:
        """Yield the reference of every file at or below ``reference``, sorted; "" and "." mean all."""
        folder = reference.rstrip("/")
        found = sorted(
            name
            for name in self._files
            if folder in ("", ".") or name == folder or name.startswith(f"{folder}/")
        )
        if not found:
            raise absent()
        return iter(found)

    def fetch(self, reference: str, max_bytes: int) -> Content:
        """Return a file's bytes; raises NotFoundError, or LimitError if it is larger than ``max_bytes``."""
        data = self._files.get(reference)
        if data is None:
            raise absent()
        if len(data) > max_bytes:
            raise too_large(len(data), max_bytes)
        return data


class MemoryUploads(MemorySource):
    """A :class:`hmar.ports.UploadSource` that lives as long as the process, empty at first."""

    def __init__(self) -> None:
        super().__init__({})
        self._lock = threading.RLock()

    def put(self, data: bytes) -> str:
        """Store bytes and return their reference: the SHA-256 in hex."""
        digest = hashlib.sha256(data).hexdigest()
        self._files[digest] = data
        return digest

    def adopt(self, path: Path, reference: str) -> None:
        """Store the bytes of a file."""
        self._files[reference] = path.read_bytes()

    def references(self) -> Iterator[str]:
        """Yield the references of all that is stored."""
        return iter(sorted(self._files))

    def check(self, _reference: str) -> bool:
        """Return True: there are no files that could be damaged."""
        return True

    def remove(self, reference: str) -> bool:
        """Remove what is stored under a reference; return whether anything was."""
        return self._files.pop(reference, None) is not None

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Hold off removing for as long as the context lasts."""
        with self._lock:
            yield

    @contextmanager
    def removing(self) -> Iterator[bool]:
        """Hold off receiving for as long as the context lasts."""
        with self._lock:
            yield True
