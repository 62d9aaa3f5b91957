"""Writing a backup of an archive that may be running."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hmar.backup.layout import CATALOGUE, END, MANIFEST, Manifest, Member, header, padding
from hmar.backup.read import CHUNK, Progress, silent
from hmar.errors import BackupError, ConfigError, UnavailableError
from hmar.files import sync_file, sync_folder
from hmar.locks import locked
from hmar.ports import Copyable, UploadSource

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_DRAFTS = ".hmar-backup-"


def write_backup(
    target: Path,
    home: Path,
    copies: Copyable,
    uploads: UploadSource,
    model: tuple[str, str],
    product: str,
    progress: Progress = silent,
    clock: Callable[[], float] = time.time,
) -> Manifest:
    """Write a backup, as a whole or not at all, and return what it holds.

    The database is copied first, in one state. An upload is stored before the rows that name it are, and none
    is removed while this runs: so whatever the copy names is there.

    Parameters
    ----------
    target : Path
        A new file.
    home : Path
        The data directory.
    copies : Copyable
        Its database.
    uploads : UploadSource
        Keeps uploads from being removed meanwhile.
    model : tuple of str
        Name and fingerprint of the model that serves.
    product : str
        Version of this program.
    progress, clock : callable

    Raises
    ------
    ConfigError
        If the target exists already.
    BackupError
        If an upload is damaged.
    UnavailableError
        If the target or the database fails.
    """
    if target.exists():
        raise _taken(target)
    try:
        with _drafts(target.parent) as folder, uploads.receiving():
            copy = folder / CATALOGUE
            members = []
            if copies.copy(copy, lambda done, total: progress("copying the database", done, total)):
                members.append((CATALOGUE, copy))
            members += [(f"secrets/{path.name}", path) for path in sorted((home / "secrets").glob("[a-z]*"))]
            listed = [_member(name, path) for name, path in members]
            for reference in sorted(uploads.references()):
                path = home / "uploads" / reference[:2] / reference
                members.append((f"uploads/{reference[:2]}/{reference}", path))
                listed.append(Member(members[-1][0], path.stat().st_size, reference))
            manifest = Manifest(product, copies.revision(), *model, clock(), tuple(listed))
            draft = folder / "backup.tar"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                _fill(file, manifest, [path for _, path in members], progress)
                sync_file(file)
            _publish(draft, target)
    except OSError as error:
        raise UnavailableError(
            f"The backup cannot be written ({error.strerror}).",
            "Check the folder's permissions, and that its disk has room for the archive twice.",
        ) from error
    return manifest


def _publish(draft: Path, target: Path) -> None:
    try:
        os.link(draft, target)  # unlike a rename, never in place of another file
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _publish_without_links(draft, target)
    sync_folder(target.parent)


def _publish_without_links(draft: Path, target: Path) -> None:
    """Take the name first: FAT, exFAT and some network shares have no hard links."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise _taken(target) from error
    try:
        draft.replace(target)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _taken(target: Path) -> ConfigError:
    return ConfigError(f"There is a file at {target} already.", "Give a name that is not taken.")


def _member(name: str, path: Path) -> Member:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(name, path.stat().st_size, digest)


def _fill(file: BinaryIO, manifest: Manifest, paths: list[Path], progress: Progress) -> None:
    body = manifest.to_bytes()
    file.write(header(MANIFEST, len(body)) + body + bytes(padding(len(body))))
    done = 0
    for member, path in zip(manifest.members, paths, strict=True):
        file.write(header(member.name, member.size))
        _copy(path, member, file)
        file.write(bytes(padding(member.size)))
        done += member.size
        progress("writing", done, manifest.total_bytes)
    file.write(END)


def _copy(path: Path, member: Member, file: BinaryIO) -> None:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while data := source.read(CHUNK):
            digest.update(data)
            size += len(data)
            file.write(data)
    if (size, digest.hexdigest()) != (member.size, member.sha256):
        raise BackupError(
            f"{member.name} is damaged, or was changed meanwhile.",
            "Run 'hmar doctor --repair', which takes damaged uploads out, and make the backup again.",
        )


def remove_drafts(parent: Path) -> None:
    """Remove the drafts of backups that killed processes have left in a folder."""
    for left in parent.glob(f"{_DRAFTS}*"):
        _remove_if_left(left)


@contextmanager
def _drafts(parent: Path) -> Iterator[Path]:
    """Make a private folder for drafts, gone at the end."""
    remove_drafts(parent)
    folder = Path(tempfile.mkdtemp(prefix=_DRAFTS, dir=parent))
    with locked(folder / "lock", exclusive=True, wait=True):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    try:
        with locked(folder / "lock", exclusive=True, wait=False) as nobodys:
            if nobodys:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
