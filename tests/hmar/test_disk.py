"""A disk with room, without room, and one that cannot be written."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from hmar import disk
from hmar.disk import TRIAL_S, Disk, write_error, writing
from hmar.errors import DiskFullError, UnavailableError


def test_there_is_room_below_the_bound_only(tmp_path: Path) -> None:
    Disk([tmp_path], 1).check()
    with pytest.raises(DiskFullError, match="less than 1048576 MiB free"):
        Disk([tmp_path], 1 << 40).check()
    Disk([], 1 << 40).check()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_quota_that_free_space_does_not_tell_is_found_by_writing(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    full = Disk([tmp_path], 1, lambda: now[0])

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, "no room")

    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryFile", refused)
        for _ in range(2):
            with pytest.raises(DiskFullError):
                full.check()
    full.check()
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    full.check()  # a trial that went well is not repeated at once
    now[0] += TRIAL_S
    with pytest.raises(DiskFullError):
        full.check()


def test_a_folder_that_is_gone_is_not_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="No such file"):
        Disk([tmp_path / "gone"], 1).check()


def test_a_trial_leaves_nothing(tmp_path: Path) -> None:
    Disk([tmp_path], 1).check()
    assert list(tmp_path.iterdir()) == []


def test_errors_of_the_system_say_what_to_do() -> None:
    full = write_error("The snapshot", OSError(errno.ENOSPC, "No space left on device", "/secret/path"))
    assert isinstance(full, DiskFullError)
    assert str(full) == f"The snapshot cannot be written: the disk is full. {disk.REMEDY}"
    with pytest.raises(UnavailableError, match="Read-only file system") as raised, writing("A file"):
        raise OSError(errno.EROFS, "Read-only file system", "/secret/path")
    assert "/secret" not in str(raised.value)
