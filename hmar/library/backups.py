"""Backups that a server keeps: written in the background into a folder that the settings name.

::

    HMAR_BACKUP_DIR/<name>.tar             a backup as 'hmar backup' writes it, every byte of it read again
                   /<name>.json            what was found then; without it a file is none of ours
                   /.unfinished-<name>.tar one that has not been verified yet
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from hmar.background import Background, Show, Task
from hmar.backup.layout import Manifest
from hmar.backup.read import verify_backup
from hmar.backup.write import remove_drafts, write_backup
from hmar.config import Settings
from hmar.disk import free_bytes, writing
from hmar.errors import ConflictError
from hmar.files import sync_folder, write_file
from hmar.values.background import time_text
from hmar.values.backups import BackupChecks, BackupInfo, BackupState
from hmar.values.plain import Json
from hmar.version import __version__
from hmar.wiring import build_engine

_UNFINISHED = ".unfinished-"
_SQLITE = "sqlite:///"


class Backups:
    """The backups of an archive. One is made at a time, whichever process makes it.

    Parameters
    ----------
    settings : Settings
        Name the folder, and how many are kept.
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._folder = settings.backup_root
        self._clock = clock
        self._background = Background(settings.home / "run", "backup", clock)

    def ask(self) -> BackupInfo:
        """Have a backup made by a worker.

        Raises
        ------
        ConflictError
            While one waits or runs, without room for it, and where the archive is in memory.
        UnavailableError
            If the folder cannot be written.
        """
        if self._settings.in_memory:
            raise ConflictError(
                "An archive in memory has nothing to back up.", "Name a data directory (HMAR_HOME)."
            )
        self._check_room()
        at = datetime.fromtimestamp(self._clock(), UTC)
        return _told(self._background.ask(f"hmar-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.tar"))

    def listed(self) -> list[BackupInfo]:
        """Return the backups, newest first, with what becomes of the one that was asked for last."""
        if self._settings.in_memory:
            return []
        kept = list(self._kept())
        last = self._background.last()
        if last is not None and last.state != "done":
            kept.append(_told(last))
        return sorted(kept, key=lambda one: (one.created_at, one.name), reverse=True)

    def do_waiting(self) -> bool:
        """Make the backup that waits, if any does; return whether one was made."""
        return not self._settings.in_memory and self._background.do(self._make)

    def sweep(self) -> None:
        """Remove what killed processes have left."""
        if self._settings.in_memory or not self._folder.is_dir():
            return
        with self._background.alone() as held:
            if held:
                self._remove_left()

    def _make(self, task: Task, show: Show) -> Json:
        self._remove_left()
        self._check_room()
        target = self._folder / task.name
        unfinished = target.with_name(_UNFINISHED + task.name)
        try:
            self._write(unfinished, show)
            manifest = verify_backup(unfinished, lambda _, done, total: show("verifying", done, total))
            with writing("HMAR_BACKUP_DIR"):
                told = self._verified(task, manifest, unfinished.stat().st_size).to_dict()
                write_file(_notes(target), json.dumps(told), mode=0o600)
                unfinished.replace(target)
                sync_folder(self._folder)
        finally:
            unfinished.unlink(missing_ok=True)
        self._drop_older()
        return told

    def _write(self, target: Path, show: Show) -> None:
        engine = build_engine(self._settings)
        try:
            _ = engine.secrets  # those of an archive that was never used are made first
            write_backup(
                target,
                self._settings.home,
                engine.storage.copies,
                engine.uploads,
                (engine.encoder.name, engine.encoder.fingerprint),
                __version__,
                show,
                self._clock,
            )
        finally:
            engine.close()

    def _verified(self, task: Task, manifest: Manifest, size_bytes: int) -> BackupInfo:
        uploads = sum(member.name.startswith("uploads/") for member in manifest.members)
        checks = BackupChecks(
            time_text(self._clock()),
            manifest.holds_database,
            uploads,
            manifest.model_fingerprint,
            manifest.product,
        )
        return BackupInfo(task.name, "verified", task.asked_at, size_bytes, checks)

    def _kept(self) -> Iterator[BackupInfo]:
        """Yield the backups that are there; one whose notes cannot be read is none of ours."""
        for notes in self._folder.glob("hmar-*.json"):
            try:
                info = BackupInfo.from_dict(json.loads(notes.read_bytes()))
                size = notes.with_suffix(".tar").stat().st_size
            except (OSError, ValueError, KeyError, TypeError):
                continue
            yield info if size == info.size_bytes else _damaged(info, size)

    def _drop_older(self) -> None:
        kept = sorted(self._kept(), key=lambda one: (one.created_at, one.name), reverse=True)
        for info in kept[self._settings.kept_backups :]:
            path = self._folder / info.name
            path.unlink(missing_ok=True)
            _notes(path).unlink(missing_ok=True)

    def _remove_left(self) -> None:
        with writing("HMAR_BACKUP_DIR"):
            self._make_folder()
            remove_drafts(self._folder)
            for unfinished in self._folder.glob(f"{_UNFINISHED}*"):
                unfinished.unlink(missing_ok=True)
            for notes in self._folder.glob("hmar-*.json"):
                if not notes.with_suffix(".tar").exists():
                    notes.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        """Make the folder, but none above it: a disk that is not mounted must not be filled in its place."""
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def _check_room(self) -> None:
        """Raise ConflictError without room for a copy of the database, and for all of it in the backup."""
        with writing("HMAR_BACKUP_DIR"):
            self._make_folder()
            needed = 2 * _size(_database(self._settings)) + _size_of_all(self._settings.upload_root)
            free = free_bytes(self._folder) - (self._settings.min_free_mb << 20)
        if needed > free:
            raise ConflictError(
                f"A backup needs {needed} bytes in HMAR_BACKUP_DIR, {max(0, free)} are free there beside the "
                f"{self._settings.min_free_mb} MiB that stay free.",
                "Free some space, name another disk, or keep fewer backups (HMAR_KEPT_BACKUPS).",
            )


def _told(task: Task) -> BackupInfo:
    """Return a backup that is not there, or not yet."""
    state: BackupState = "verified" if task.state == "done" else task.state
    return BackupInfo(
        task.name, state, task.asked_at, progress=task.step, problem=task.problem, remedy=task.remedy
    )


def _damaged(info: BackupInfo, size_bytes: int) -> BackupInfo:
    return BackupInfo(
        info.name,
        "damaged",
        info.created_at,
        size_bytes,
        info.checks,
        problem=f"Its file had {info.size_bytes} bytes when it was verified.",
        remedy="Use another backup, and check the disk.",
    )


def _notes(backup: Path) -> Path:
    return backup.with_suffix(".json")


def _database(settings: Settings) -> Path:
    url = settings.database_url
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else settings.database_file


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _size_of_all(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*") if path.is_file())
