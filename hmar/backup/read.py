"""Reading a backup: every byte of it is compared with what the manifest says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from hmar.backup.layout import (
    BLOCK,
    END,
    Manifest,
    Member,
    damaged,
    header,
    manifest_size,
    padding,
    total_size,
)
from hmar.errors import BackupError

CHUNK = 1 << 20
Opener = Callable[[Member], AbstractContextManager[BinaryIO]]
"""Opens a file to write a member to."""
Progress = Callable[[str, int, int], None]
"""Told what is done, how many bytes of it, and of how many."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


def read_backup(
    source: Path,
    accept: Callable[[Manifest], Opener | None],
    progress: Progress = silent,
) -> Manifest:
    """Read a whole backup and return its manifest.

    Parameters
    ----------
    source : Path
    accept : callable
        Given the manifest before anything else is read; may raise. Returns what opens a file for each member,
        or None to compare the members alone.
    progress : callable

    Raises
    ------
    BackupError
        If one bit of the file is not what it should be, or it cannot be read.
    """
    try:
        with source.open("rb") as file:
            return _read(file, accept, progress)
    except OSError as error:
        raise BackupError(
            f"The backup cannot be read, or not be written where it is restored to ({error.strerror}).",
            "Check the path, its permissions, and that the disk has room.",
        ) from error


def verify_backup(source: Path, progress: Progress = silent) -> Manifest:
    """Compare every byte of a backup; raises BackupError."""
    return read_backup(source, lambda _manifest: None, progress)


def _read(file: BinaryIO, accept: Callable[[Manifest], Opener | None], progress: Progress) -> Manifest:
    there = os.fstat(file.fileno()).st_size
    size = manifest_size(file.read(BLOCK))
    if size > there:
        raise damaged("it is cut short")
    manifest = Manifest.from_bytes(file.read(size))
    _expect(file, bytes(padding(size)), "after its manifest")
    if (whole := total_size(size, manifest.members)) != there:
        raise damaged(f"it has {there} bytes, its manifest says {whole}")
    opened = accept(manifest)
    done = 0
    for member in manifest.members:
        _expect(file, header(member.name, member.size), f"before {member.name}")
        if opened is None:
            _copy(file, member, None)
        else:
            with opened(member) as target:
                _copy(file, member, target)
        _expect(file, bytes(padding(member.size)), f"after {member.name}")
        done += member.size
        progress("reading", done, manifest.total_bytes)
    _expect(file, END, "at its end")
    return manifest


def _copy(file: BinaryIO, member: Member, target: BinaryIO | None) -> None:
    digest, left = hashlib.sha256(), member.size
    while left:
        data = file.read(min(CHUNK, left))
        if not data:
            raise damaged("it is cut short")
        digest.update(data)
        if target is not None:
            target.write(data)
        left -= len(data)
    if digest.hexdigest() != member.sha256:
        raise damaged(f"{member.name} is not what was written")


def _expect(file: BinaryIO, expected: bytes, where: str) -> None:
    if file.read(len(expected)) != expected:
        raise damaged(f"something else lies {where}")
