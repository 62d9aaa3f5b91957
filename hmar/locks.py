"""A lock between processes, on a file of its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, exclusive: bool, wait: bool) -> Iterator[bool]:
    """Hold ``path`` locked for as long as the context lasts; the kernel lets go when the process dies.

    Parameters
    ----------
    path : Path
        The lock file; created (mode 0600) if absent, never removed.
    exclusive : bool
        Whether to keep readers out too.
    wait : bool
        Whether to wait for the lock.

    Yields
    ------
    bool
        Whether the lock is held; always True with ``wait``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        operation = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
