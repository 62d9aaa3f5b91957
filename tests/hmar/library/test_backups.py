"""Backups that a server keeps: verified, the newest of them, and nothing that a killed process has left."""

from __future__ import annotations

import os
import tarfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.backup.read import verify_backup
from hmar.config import IN_MEMORY, Settings
from hmar.errors import ConflictError, UnavailableError
from hmar.library import backups as library_backups
from hmar.library.backups import Backups
from hmar.library.index_job import run_job
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.backups import BackupInfo
from hmar.values.entries import Origin
from hmar.wiring import build_engine
from tests.hmar.adapters.sql.damage import flip_bit
from tests.phantoms import ct_file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of an archive of one upload."""
    queue = InlineQueue()
    settings = Settings(home=tmp_path / "home", model_dir="thumbnail", kept_backups=2, min_free_mb=1)
    with closing(build_engine(settings.checked(), ThumbnailEncoder(), queue)) as engine:
        run_job(engine, queue, "sent", Origin("upload", ""), [ct_file(1, 1)])
    return settings


def made(settings: Settings, at: float = 1e9) -> BackupInfo:
    backups = Backups(settings, lambda: at)
    asked = backups.ask()
    assert backups.listed()[0].state == "waiting"
    assert backups.do_waiting()
    return next(one for one in backups.listed() if one.name == asked.name)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_backup_is_verified_and_told(settings: Settings) -> None:
    info = made(settings)
    path = settings.backup_root / info.name
    assert (info.state, info.problem, info.progress) == ("verified", None, None)
    assert info.name.startswith("hmar-20010909T014640Z-")
    assert info.size_bytes == path.stat().st_size
    assert info.checks is not None
    assert (info.checks.database, info.checks.uploads) == (True, 1)
    assert info.checks.model_fingerprint == verify_backup(path).model_fingerprint
    assert settings.backup_root == settings.home / "backups"
    assert settings.backup_root.stat().st_mode & 0o777 == 0o700
    assert {one.stat().st_mode & 0o777 for one in settings.backup_root.iterdir()} == {0o600}
    with tarfile.open(path) as tar:
        assert "catalogue.db" in tar.getnames()
    assert BackupInfo.from_dict(info.to_dict()) == info


def test_the_newest_are_kept_and_files_of_others_are_not_touched(settings: Settings) -> None:
    settings.backup_root.mkdir()
    for name in ("mine.tar", "hmar-mine.tar", "notes.json"):
        (settings.backup_root / name).write_text("mine")
    kept = [made(settings, at).name for at in (1e9, 2e9, 3e9)][1:]
    assert [one.name for one in Backups(settings).listed()] == kept[::-1]
    own = {"mine.tar", "hmar-mine.tar", "notes.json"}
    assert names(settings.backup_root) - own == {
        f"{name[:-4]}.{kind}" for name in kept for kind in ("tar", "json")
    }
    assert own <= names(settings.backup_root)


def test_one_that_was_cut_is_told_and_one_that_is_gone_is_not(settings: Settings) -> None:
    first, second = made(settings, 1e9), made(settings, 2e9)
    os.truncate(settings.backup_root / first.name, 512)
    (settings.backup_root / second.name).unlink()
    [left] = Backups(settings).listed()
    assert (left.name, left.state, left.size_bytes) == (first.name, "damaged", 512)
    assert left.problem
    assert left.remedy


def test_a_damaged_upload_makes_no_backup_and_leaves_nothing(settings: Settings) -> None:
    flip_bit(next(settings.upload_root.glob("??/*")), 8 * 600)
    info = made(settings)
    assert (info.state, info.size_bytes, info.checks) == ("failed", None, None)
    assert info.problem is not None
    assert "damaged" in info.problem
    assert names(settings.backup_root) == set()


def test_one_that_is_not_read_as_it_was_written_is_removed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = library_backups.verify_backup

    def altered(path: Path, *rest: object) -> object:
        flip_bit(path, 8 * (path.stat().st_size - 4096))
        return verify(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(library_backups, "verify_backup", altered)
    assert made(settings).state == "failed"
    assert names(settings.backup_root) == set()


def test_what_a_killed_process_has_left_is_removed(settings: Settings) -> None:
    info = made(settings)
    intact = names(settings.backup_root)
    (settings.backup_root / ".hmar-backup-killed").mkdir()
    (settings.backup_root / ".hmar-backup-killed" / "backup.tar").write_text("half")
    (settings.backup_root / ".unfinished-hmar-killed.tar").write_text("half")
    (settings.backup_root / "hmar-killed.json").write_text("{}")
    Backups(settings).sweep()
    assert names(settings.backup_root) == intact
    assert [one.name for one in Backups(settings).listed()] == [info.name]


def test_it_is_refused_without_room(settings: Settings) -> None:
    with pytest.raises(ConflictError, match="HMAR_BACKUP_DIR"):
        Backups(replace(settings, min_free_mb=1 << 40)).ask()
    assert Backups(settings).listed() == []


def test_room_that_is_gone_when_it_begins_is_told(settings: Settings) -> None:
    asked = Backups(settings).ask()
    full = Backups(replace(settings, min_free_mb=1 << 40))
    assert full.do_waiting()
    [told] = full.listed()
    assert (told.name, told.state) == (asked.name, "failed")
    assert told.problem is not None
    assert "are free" in told.problem


def test_a_folder_above_the_named_one_is_not_made(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "backups"
    named = replace(settings, backup_dir=str(elsewhere))
    with pytest.raises(UnavailableError, match="HMAR_BACKUP_DIR"):
        Backups(named).ask()
    assert not elsewhere.parent.exists()
    elsewhere.parent.mkdir()
    assert made(named).state == "verified"
    assert len(list(elsewhere.glob("*.tar"))) == 1


def test_one_is_made_at_a_time(settings: Settings) -> None:
    Backups(settings).ask()
    with pytest.raises(ConflictError, match="waiting"):
        Backups(settings).ask()


def test_an_archive_in_memory_has_none() -> None:
    backups = Backups(Settings(database_url=IN_MEMORY).checked())
    with pytest.raises(ConflictError, match="memory"):
        backups.ask()
    backups.sweep()
    assert (backups.listed(), backups.do_waiting()) == ([], False)
