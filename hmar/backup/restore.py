"""Restoring a backup into a data directory that holds no archive.

Everything is read, compared and written to a hidden folder of the data directory first. A mark in it says
that it is complete; from then on its parts are moved to their places, and whoever opens the directory after a
crash moves the rest. Without the mark the folder means nothing. So a restore that is killed has done nothing,
or all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hmar.backup.layout import CATALOGUE, Manifest, folders
from hmar.backup.read import Opener, Progress, read_backup, silent
from hmar.disk import free_bytes, writing
from hmar.errors import BackupError, ConfigError
from hmar.files import sync_file, sync_folder, write_file
from hmar.locks import locked

STAGING = ".restore"
LOCK = "restore.lock"
_COMPLETE = "complete"
_PARTS = ("secrets", "uploads", CATALOGUE)


def restore_backup(
    source: Path, home: Path, knows_schema: Callable[[str], bool], progress: Progress = silent
) -> Manifest:
    """Restore a backup, and return what it held.

    Parameters
    ----------
    source : Path
    home : Path
        A data directory without an archive; created where there is none.
    knows_schema : callable
        Returns whether this version can open a database of a schema.
    progress : callable

    Raises
    ------
    ConfigError
        If ``home`` holds an archive.
    BackupError
        If the backup is damaged, or of a newer version.
    OperatorError
        If ``home`` cannot be written, or the disk is full.
    """
    with _restoring(home):
        _check_empty(home)
        staging = home / STAGING
        shutil.rmtree(staging, ignore_errors=True)

        def accept(manifest: Manifest) -> Opener:
            if manifest.holds_database and not knows_schema(manifest.schema):
                raise BackupError(
                    f"The backup is of version {manifest.product}, which this one does not know.",
                    "Restore it with that version, or a newer one.",
                )
            _check_room(home, manifest)
            staging.mkdir(mode=0o700)
            for folder in folders(manifest.members):
                (staging / folder).mkdir(mode=0o700)
            return lambda member: _new_file(staging / member.name)

        try:
            manifest = read_backup(source, accept, progress)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        for folder in folders(manifest.members):
            sync_folder(staging / folder)
        write_file(staging / _COMPLETE, b"", mode=0o600)
        sync_folder(home)
        _move(home)
    return manifest


def settle_restore(home: Path) -> None:
    """Finish a restore that was killed, or remove what it left; raises ConfigError while one goes on."""
    if (home / STAGING).exists():
        with _restoring(home):
            if (home / STAGING / _COMPLETE).exists():
                _move(home)
            else:
                shutil.rmtree(home / STAGING, ignore_errors=True)


def _move(home: Path) -> None:
    staging = home / STAGING
    for name in _PARTS:
        if not (staging / name).exists():
            continue  # not in the backup, or moved already
        if (home / name).is_dir():
            shutil.rmtree(home / name)  # without anything in it but locks
        (staging / name).replace(home / name)
        sync_folder(home)
    shutil.rmtree(staging)
    sync_folder(home)


@contextmanager
def _restoring(home: Path) -> Iterator[None]:
    with writing("HMAR_HOME"):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(home / LOCK, exclusive=True, wait=False) as held:
            if not held:
                raise ConfigError(
                    "A backup is being restored into this data directory.", "Wait until that has ended."
                )
            yield


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        sync_file(file)


def _check_empty(home: Path) -> None:
    """Refuse a directory that holds an archive; images to import and downloads may be there."""
    held = [name for name in (CATALOGUE, f"{CATALOGUE}-wal") if (home / name).exists()]
    for name in ("secrets", "uploads", "index"):
        if any(path.is_file() and not path.name.startswith(".") for path in (home / name).rglob("*")):
            held.append(name)
    if held:
        raise ConfigError(
            f"HMAR_HOME holds an archive already: {', '.join(held)}.",
            "Set HMAR_HOME to an empty folder, or move the old one away.",
        )


def _check_room(home: Path, manifest: Manifest) -> None:
    free = free_bytes(home)
    if manifest.total_bytes > free:
        raise BackupError(
            f"The backup needs {manifest.total_bytes} bytes, {free} are free under HMAR_HOME.",
            "Free some space.",
        )
