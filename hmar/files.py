"""Files that are written as a whole or not at all.

The content goes to a hidden file beside the target, reaches the disk, and then takes the target's name. A
reader sees the old file or the new one, also after a power cut; a file that could not be finished is removed.
A process that is killed meanwhile leaves its hidden file behind, which :func:`sweep_drafts` removes.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

DRAFT_AGE_S = 3600.0
"""A hidden file that was not written to for so long is nobody's any more."""
_DRAFT = re.compile(r"\..+\.[0-9a-f]{16}")


@contextmanager
def new_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``path`` when the context ends without an error.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    mode : int
        Permissions of the new file, less the process's umask.
    """
    with _draft(path, mode) as (file, draft):
        yield file
        sync_file(file)
        draft.replace(path)
    sync_folder(path.parent)


def write_file(path: Path, content: bytes | str, mode: int = 0o666) -> None:
    """Write a file in place of any other; text as UTF-8."""
    with new_file(path, mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def create_file(path: Path, content: bytes, mode: int = 0o666) -> bool:
    """Write a file unless there is one; return whether it was written. One of many callers at once wins."""
    with _draft(path, mode) as (file, draft):
        file.write(content)
        sync_file(file)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def sync_file(file: BinaryIO) -> None:
    """Return when what was written to an open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when a folder's names are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_drafts(root: Path, left_out: Collection[Path] = ()) -> int:
    """Remove the hidden files that killed processes have left, and return how many.

    Parameters
    ----------
    root : Path
        Searched with all folders below it; links are not followed.
    left_out : collection of Path
        Folders whose files are not the program's own.
    """
    removed = 0
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) not in left_out]
        for name in files:
            if _DRAFT.fullmatch(name) and _age_s(Path(folder, name)) > DRAFT_AGE_S:
                Path(folder, name).unlink(missing_ok=True)
                removed += 1
    return removed


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


@contextmanager
def _draft(path: Path, mode: int) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a hidden file beside ``path`` that is gone at the end, unless it was renamed."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, draft
    finally:
        draft.unlink(missing_ok=True)
