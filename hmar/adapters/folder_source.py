"""Images in folders: the files below a root."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hmar.adapters.common.files import file_content, unreadable
from hmar.adapters.common.sources import absent
from hmar.adapters.folder_tree import Walk, is_loop, kind_of, reached, real_path, resolved
from hmar.contents import Content
from hmar.errors import InputError, NoImageError, NotFoundError
from hmar.values.references import path_of, reference_of

_log = logging.getLogger(__name__)


class FolderSource:
    """The files below a root; a :class:`hmar.ports.ImageSource`.

    A reference is a path relative to the root, or an absolute one inside it, written as
    :mod:`hmar.values.references` has it. Nothing outside the root is ever read: ``..`` is refused, and so is
    a symbolic link that leads out. Links inside the root are followed, each folder once. Names that begin
    with a dot are skipped in listings, as shells do. All else is listed, and :meth:`fetch` says why it is no
    file.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self, reference: str) -> Iterator[str]:
        """Yield the references of all files at or below a file or folder, sorted by folder, then by name."""
        root = real_path(self._root)
        start = self._located(root, reference)
        if not stat.S_ISDIR(_mode(start)):
            yield reference_of(start.relative_to(root))
            return
        walk, empty = Walk(root, start), True
        for path in walk:
            if path == start:
                raise _unlisted(start)
            empty = False
            yield reference_of(path.relative_to(root))
        if walk.hidden:
            _log.info("%d hidden files and folders were left out of a listing", walk.hidden)
        if empty:
            raise NotFoundError(
                "There is no file in the folder.", "Give a file, or a folder that holds some."
            )

    def fetch(self, reference: str, max_bytes: int) -> Content:
        """Return a file's bytes.

        Raises
        ------
        LimitError
            If it has more than ``max_bytes``.
        NoImageError
            If it is no file, such as a pipe, or a link to a folder that is listed at its own place.
        NotFoundError
            If there is no such file, or it cannot be read.
        """
        root = real_path(self._root)
        path = self._located(root, reference)
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            raise _not_followed(self._typed(root, reference), path)
        if not stat.S_ISREG(mode):
            raise NoImageError(
                f"There is {kind_of(mode)}, not a file.", "Remove it, if it should not be here."
            )
        return file_content(path, max_bytes)

    def _typed(self, root: Path, reference: str) -> Path:
        """Return the absolute path that a reference names, links as they are."""
        try:
            path = Path(os.fsdecode(path_of(reference)))
        except UnicodeEncodeError as error:
            raise absent() from error
        if "\0" in reference:
            raise absent()
        if ".." in path.parts:
            raise NotFoundError("The path contains '..'.", "Give a path without it, below the import folder.")
        return root / path

    def _located(self, root: Path, reference: str) -> Path:
        path = resolved(self._typed(root, reference), root)
        if path is None:
            raise NotFoundError(
                "The path leads out of the folder that may be read.",
                "Give a path below the import folder (HMAR_IMPORT_DIR), not a link out of it.",
            )
        return path


def _mode(path: Path) -> int:
    try:
        with reached(path) as (name, parent):
            return os.stat(name, dir_fd=parent).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise absent() from error
    except OSError as error:
        raise unreadable(error) from error


def _not_followed(typed: Path, folder: Path) -> InputError:
    """Return why a folder stands in a listing."""
    if typed == folder:
        return _unlisted(folder)
    if is_loop(typed, folder):
        return NoImageError("The link leads to a folder that it lies in: a loop.", "Remove the link.")
    return NoImageError(
        "The link leads to a folder that is listed at another place.", "Nothing is left out: remove the link."
    )


def _unlisted(folder: Path) -> NotFoundError:
    try:
        with reached(folder) as (name, parent):
            os.close(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent))
    except FileNotFoundError:
        return absent()
    except OSError as error:
        return NotFoundError(f"The folder cannot be listed ({error.strerror}).", "Check its permissions.")
    return NotFoundError("The folder could not be listed.", "Index it again.")
