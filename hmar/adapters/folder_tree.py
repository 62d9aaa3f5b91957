"""Walks a tree of files: links are followed once, paths have any length, and nothing is left out silently."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATH_BYTES = 4096
"""The kernel takes paths shorter than this (PATH_MAX, with the zero at the end)."""
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def resolved(path: Path, root: Path) -> Path | None:
    """Return an absolute path with its links followed, None where it leads out of ``root``."""
    real = real_path(path)
    return real if real.is_relative_to(root) else None


def real_path(path: Path) -> Path:
    """Return an absolute path with its links followed; one that leads to itself stays as it is."""
    return Path(os.path.realpath(path))


@contextmanager
def reached(path: Path) -> Iterator[tuple[str, int | None]]:
    """Yield what system calls take in place of a path of any length: a name, and the folder that it is in.

    Parameters
    ----------
    path : Path
        Absolute. Where it is too long for the kernel, no link in it is followed.
    """
    if len(os.fsencode(path)) < PATH_BYTES:
        yield str(path), None
        return
    *parents, name = path.parts[1:]
    folder = os.open(path.anchor, _STEP)
    try:
        for parent in parents:
            inner = os.open(parent, _STEP, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield name, folder
    finally:
        os.close(folder)


@dataclass
class Walk:
    """The files at and below a folder, sorted by folder, then by name.

    Yields paths as they are seen from ``start``, through links where there are any. A folder is listed once,
    at its own place if that is below ``start``; links to folders come after that. What cannot be listed is
    yielded itself: a link to a folder that is listed already or lies outside ``root``, a folder that cannot
    be read. Whoever reads it finds out why.

    Parameters
    ----------
    root : Path
        Absolute, without links; links out of it are not followed.
    start : Path
        A folder below it, likewise.

    Attributes
    ----------
    hidden : int
        Number of files and folders that were left out because their name begins with a dot, so far.
    """

    root: Path
    start: Path
    hidden: int = 0
    _listed: set[tuple[int, int]] = field(default_factory=set)
    _links: deque[Path] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Path]:
        yield from self._below(self.start, self.start)
        while self._links:
            link = self._links.popleft()
            target = resolved(link, self.root)
            if target is None or is_loop(link, target) or self._is_listed(target):
                yield link
            else:
                yield from self._below(link, target)

    def _below(self, shown: Path, real: Path) -> Iterator[Path]:
        """Walk a folder that has one path to be shown and one without links."""
        waiting = [(shown, real)]
        while waiting:
            shown, real = waiting.pop()
            try:
                folders, files = self._listing(shown, real)
            except OSError:
                yield shown
                continue
            yield from (shown / name for name in files)
            waiting += [(shown / name, real / name) for name in reversed(folders)]

    def _listing(self, shown: Path, real: Path) -> tuple[list[str], list[str]]:
        """Return a folder's folders and files, and note its links to folders; nothing the second time."""
        with reached(real) as (name, parent):
            folder = os.open(name, _LISTED, dir_fd=parent)
        try:
            if not self._is_new(os.fstat(folder)):
                return [], []
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            seen = [entry for entry in entries if not entry.name.startswith(".")]
            self.hidden += len(entries) - len(seen)
            folders = [entry.name for entry in seen if entry.is_dir(follow_symlinks=False)]
            links = [entry.name for entry in seen if entry.is_symlink() and _is_folder(entry)]
        finally:
            os.close(folder)
        self._links.extend(shown / name for name in links)
        others = {*folders, *links}
        return folders, [entry.name for entry in seen if entry.name not in others]

    def _is_new(self, found: os.stat_result) -> bool:
        identity = (found.st_dev, found.st_ino)
        new = identity not in self._listed
        self._listed.add(identity)
        return new

    def _is_listed(self, real: Path) -> bool:
        try:
            with reached(real) as (name, parent):
                found = os.stat(name, dir_fd=parent)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) in self._listed


def is_loop(link: Path, target: Path) -> bool:
    """Whether a link leads to a folder that it lies in itself."""
    return real_path(link.parent).is_relative_to(target)


def kind_of(mode: int) -> str:
    """Name what is no file by its mode."""
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")


def _is_folder(link: os.DirEntry[str]) -> bool:
    try:
        return link.is_dir()
    except OSError:  # a link to itself
        return False
