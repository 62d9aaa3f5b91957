"""A backup is whole and verified, a restore does nothing or all, and a hostile file does nothing."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.backup import restore as restoring
from hmar.backup.layout import BLOCK, END, MANIFEST, Manifest, Member, header, padding
from hmar.backup.read import verify_backup
from hmar.backup.restore import restore_backup, settle_restore
from hmar.backup.write import write_backup
from hmar.config import Settings
from hmar.errors import BackupError, ConfigError, UnavailableError
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import Engine, build_engine, knows_schema
from tests.contract.examples import MODEL, ORIGIN, encoded
from tests.hmar.adapters.sql.damage import flip_bit

REPOSITORY = Path(__file__).parents[3]


def opened(home: Path) -> Engine:
    return build_engine(Settings(home=home).checked(), ThumbnailEncoder(), InlineQueue())


def make_archive(home: Path) -> list[str]:
    with closing(opened(home)) as engine:
        _ = engine.secrets
        engine.catalogue.append("default", [encoded(f"1.{number}") for number in range(5)], ORIGIN)
        return [engine.uploads.put(data) for data in (b"", b"one", b"x" * 1000)]


def write(home: Path, target: Path) -> Manifest:
    with closing(opened(home)) as engine:
        return write_backup(
            target,
            home,
            engine.storage.copies,
            engine.uploads,
            ("thumbnail", MODEL),
            "1.0",
            clock=lambda: 7.0,
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_archive(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def backup(home: Path, tmp_path: Path) -> Path:
    write(home, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def files(home: Path) -> dict[str, bytes]:
    kept = [*(home / "secrets").rglob("*"), *(home / "uploads").rglob("*")]
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in kept
        if path.is_file() and not path.name.startswith(".")
    }


def names(home: Path) -> set[str]:
    with closing(opened(home)) as engine:
        return {entry.info.sop_instance_uid for entry in engine.catalogue.entries(range(1, 1000)).values()}


def test_what_was_backed_up_is_restored(home: Path, backup: Path, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    manifest = restore_backup(backup, restored, knows_schema)
    assert manifest == verify_backup(backup)
    assert files(restored) == files(home)
    assert names(restored) == names(home)
    with closing(opened(restored)) as engine:
        assert engine.secrets is not None
        assert engine.storage.integrity.check_log().intact
    assert backup.stat().st_mode & 0o777 == 0o600
    assert (restored / "catalogue.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir() if path.name.startswith(".")] == []


def test_any_tar_program_lists_a_backup(backup: Path) -> None:
    with tarfile.open(backup) as tar:
        assert tar.getnames()[:2] == [MANIFEST, "catalogue.db"]
        assert all(member.isreg() for member in tar)


def test_a_backup_never_takes_the_place_of_a_file(home: Path, backup: Path) -> None:
    with pytest.raises(ConfigError, match="already"):
        write(home, backup)


def test_a_damaged_upload_or_database_is_not_backed_up(home: Path, tmp_path: Path) -> None:
    upload = next(
        path for path in (home / "uploads").rglob("*") if path.is_file() and path.stat().st_size == 3
    )
    flip_bit(upload, 1)
    with pytest.raises(BackupError, match="damaged"):
        write(home, tmp_path / "bad.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_one_bit_anywhere_in_a_backup_is_told_and_nothing_is_restored(backup: Path, tmp_path: Path) -> None:
    bits = 8 * backup.stat().st_size
    target = tmp_path / "target"
    for place in range(0, bits, bits // 97):
        flip_bit(backup, place)
        with pytest.raises(BackupError):
            restore_backup(backup, target, knows_schema)
        flip_bit(backup, place)
    assert {path.name for path in target.iterdir()} == {restoring.LOCK}
    verify_backup(backup)


@pytest.mark.parametrize("cut", [1, BLOCK, 5000])
def test_a_backup_that_is_cut_short_or_goes_on_is_told(backup: Path, cut: int) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[:-cut])
    with pytest.raises(BackupError):
        verify_backup(backup)
    backup.write_bytes(data + bytes(cut))
    with pytest.raises(BackupError):
        verify_backup(backup)


def crafted(members: tuple[Member, ...], data: bytes) -> bytes:
    body = Manifest("1.0", "0006", "m", "f", 0.0, members).to_bytes()
    return header(MANIFEST, len(body)) + body + bytes(padding(len(body))) + data + END


SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "secrets/../x",
        "secrets/..",
        "uploads/e3/../../x",
        "run/lock",
        f"uploads/00/{SHA}",
    ],
)
def test_a_member_that_no_backup_holds_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.tar").write_bytes(crafted((Member(name, 0, SHA),), header(name, 0)))
    with pytest.raises(BackupError):
        restore_backup(tmp_path / "x.tar", tmp_path / "home", knows_schema)
    assert {path.name for path in (tmp_path / "home").iterdir()} == {restoring.LOCK}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_devices_and_folders_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("secrets/patient")
    info.type, info.linkname = kind, "/etc/passwd"
    (tmp_path / "x.tar").write_bytes(crafted((Member("secrets/patient", 0, SHA),), info.tobuf()))
    with pytest.raises(BackupError):
        verify_backup(tmp_path / "x.tar")


def test_claims_of_size_are_compared_before_anything_is_read(tmp_path: Path) -> None:
    huge = Member("catalogue.db", 1 << 50, SHA)
    (tmp_path / "x.tar").write_bytes(crafted((huge,), header(huge.name, huge.size)))
    with pytest.raises(BackupError, match="bytes"):
        verify_backup(tmp_path / "x.tar")


@pytest.mark.parametrize("data", [b"", b"x", bytes(4096), os.urandom(4096)])
def test_what_is_no_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(BackupError):
        verify_backup(tmp_path / "x.tar")


def test_an_ordinary_tar_file_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("a"), io.BytesIO())
    with pytest.raises(BackupError):
        verify_backup(tmp_path / "x.tar")


def test_an_archive_is_never_overwritten(home: Path, backup: Path, tmp_path: Path) -> None:
    before = files(home)
    with pytest.raises(ConfigError, match="holds an archive"):
        restore_backup(backup, home, knows_schema)
    assert files(home) == before
    target = tmp_path / "target"
    (target / "import").mkdir(parents=True)
    (target / "import" / "image").write_bytes(b"x")
    restore_backup(backup, target, knows_schema)
    assert (target / "import" / "image").exists()


def test_a_backup_of_a_newer_version_is_refused(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="version"):
        restore_backup(backup, tmp_path / "target", lambda _revision: False)


class Killed(BaseException):
    pass


def _is_part(path: Path) -> bool:
    return path.parent.name == restoring.STAGING and path.name in ("secrets", "uploads", "catalogue.db")


@pytest.mark.parametrize("moves", range(4))
def test_a_restore_that_is_killed_while_it_moves_is_finished_by_the_next_start(
    home: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    left = moves

    def killing(path: Path, target: Path) -> Path:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return real(path, target)

    real: Callable[[Path, Path], Path] = Path.replace
    target = tmp_path / "target"
    with monkeypatch.context() as patch:
        patch.setattr(
            Path,
            "replace",
            lambda path, to: (killing if _is_part(path) else real)(path, to),
        )
        if moves < 3:
            with pytest.raises(Killed):
                restore_backup(backup, target, knows_schema)
        else:
            restore_backup(backup, target, knows_schema)
    settle_restore(target)
    assert files(target) == files(home)
    assert names(target) == names(home)
    assert not (target / restoring.STAGING).exists()


def test_a_restore_that_is_killed_before_it_was_complete_has_done_nothing(tmp_path: Path) -> None:
    (tmp_path / restoring.STAGING / "secrets").mkdir(parents=True)
    (tmp_path / restoring.STAGING / "secrets" / "patient").write_bytes(b"half")
    settle_restore(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {restoring.LOCK}


def test_a_disk_that_is_full_leaves_no_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hmar.backup.write.sync_file", full)
    with pytest.raises(UnavailableError, match="No space"):
        write(home, tmp_path / "backup.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


WRITER = """
import sys
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from tests.contract.examples import ORIGIN, encoded
catalogue = SqlCatalogue(Database(sys.argv[1]))
for number in range(10_000):
    catalogue.append("busy", [encoded(f"2.{number}", frame) for frame in range(1, 9)], ORIGIN)
    print(number, flush=True)
"""


@pytest.mark.slow
def test_a_backup_taken_while_another_process_writes_is_one_state(home: Path, tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, f"sqlite:///{home / 'catalogue.db'}"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout is not None
        for number in range(3):
            assert writer.stdout.readline()
            write(home, tmp_path / f"{number}.tar")
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    seen = []
    for number in range(3):
        target = tmp_path / f"restored-{number}"
        restore_backup(tmp_path / f"{number}.tar", target, knows_schema)
        with closing(opened(target)) as engine:
            integrity = engine.storage.integrity
            assert integrity.store_problems() == []
            assert integrity.check_log().intact
            checked = integrity.check_entries(0, 100_000)
            assert checked is not None
            assert checked.damaged == ()
            assert (checked.checked - 5) % 8 == 0  # whole transactions
            seen.append(checked.checked)
    assert seen == sorted(seen)
    assert seen[-1] > 5


@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_nothing_that_the_next_one_does_not_remove(
    home: Path, tmp_path: Path
) -> None:
    program = "import sys; from hmar.backup import write as w; import os, signal\n"
    program += "w.sync_file = lambda file: os.kill(os.getpid(), signal.SIGKILL)\n"
    program += "from tests.hmar.backup.test_backup import write; from pathlib import Path\n"
    program += "write(Path(sys.argv[1]), Path(sys.argv[2]))"
    target = tmp_path / "backup.tar"
    run = subprocess.run([sys.executable, "-c", program, home, target], cwd=REPOSITORY, check=False)
    assert run.returncode == -9
    assert not target.exists()
    assert list(tmp_path.glob(".hmar-backup-*"))
    write(home, target)
    assert list(tmp_path.glob(".hmar-backup-*")) == []
    verify_backup(target)


def test_a_folder_without_hard_links_takes_a_backup_and_no_other_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_archive(tmp_path / "home")

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("hmar.backup.write.os.link", refused)
    target = tmp_path / "backup.tar"
    written = write(tmp_path / "home", target)
    assert verify_backup(target) == written

    def refused_and_taken(*_: object) -> None:
        (tmp_path / "other.tar").write_bytes(b"another's")
        refused()

    monkeypatch.setattr("hmar.backup.write.os.link", refused_and_taken)
    with pytest.raises(ConfigError, match="already"):
        write(tmp_path / "home", tmp_path / "other.tar")
    assert (tmp_path / "other.tar").read_bytes() == b"another's"


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match="HMAR_HOME cannot be written"):
        restore_backup(tmp_path / "backup.tar", tmp_path / "file" / "home", knows_schema)
