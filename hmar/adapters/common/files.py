"""Reads a file of a folder, and says why one cannot be read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from hmar.adapters.common.sources import absent, too_large
from hmar.adapters.folder_tree import reached
from hmar.contents import HELD_BYTES, Content, FileBytes
from hmar.errors import HmarError, NotFoundError, UnavailableError

_PASSING = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT}
)
"""What says nothing of the file: it is tried again."""


def file_content(path: Path, max_bytes: int) -> Content:
    """Return a file's bytes; those of a large one stay on the disk.

    Raises
    ------
    LimitError
        If it has more than ``max_bytes``.
    NotFoundError
        If there is no such file, or it cannot be read.
    UnavailableError
        If it cannot be read just now.
    """
    try:
        with reached(path) as (name, parent):
            # It may have become a pipe, which would block.
            opened = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        large = os.fstat(opened).st_size
        if HELD_BYTES < large <= max_bytes:
            return FileBytes.owning(opened)
        with os.fdopen(opened, "rb") as file:
            data = file.read(min(max_bytes, HELD_BYTES) + 1)
            size = max(os.fstat(file.fileno()).st_size, len(data))
    except FileNotFoundError as error:
        raise absent() from error
    except OSError as error:
        raise unreadable(error) from error
    if size > max_bytes:
        raise too_large(size, max_bytes)
    return data


def unreadable(error: OSError) -> HmarError:
    """Return the error for a file that cannot be read: UnavailableError where trying again may help."""
    if error.errno in _PASSING:
        return UnavailableError(
            f"The file cannot be read now ({error.strerror}).",
            "Check the limits of this process (open files, memory), or the network share.",
        )
    return NotFoundError(f"The file cannot be read ({error.strerror}).", "Check its permissions.")
