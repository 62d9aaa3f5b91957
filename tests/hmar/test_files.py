"""Files are there as a whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hmar.files import create_file, new_file, sweep_drafts, write_file

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from hmar.files import new_file
with new_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", [b"\x00bytes", "täxt\n"])
def test_bytes_and_text_replace_what_was_there(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"something longer than what comes")
    write_file(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert names(tmp_path) == ["file"]


def test_a_writer_that_seeks_may_fill_the_file(tmp_path: Path) -> None:
    with new_file(tmp_path / "arrays.npz") as file:
        np.savez(file, ones=np.ones(3))
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert arrays["ones"].tolist() == [1, 1, 1]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, "old")
    with new_file(path) as file:
        file.write(b"ne")
        file.flush()
        assert path.read_text() == "old"
        file.write(b"w")
    assert path.read_text() == "new"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, "old")

    def fail() -> None:
        with new_file(path) as file:
            file.write(b"half")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_file(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, "new")
    with pytest.raises(OSError, match="No space"):
        create_file(tmp_path / "other", b"new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_process_that_is_killed_leaves_the_old_file_or_none(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (path.read_bytes() if path.exists() else None) == before
    assert all(name.startswith(".file.") for name in names(tmp_path) if name != "file")


def test_the_content_is_on_the_disk_before_its_name_is_and_both_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut keeps: a name never stands for content that is not there."""
    path = tmp_path / "file"
    steps: list[tuple[str, bool]] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        steps.append((kind, path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_file(path, "content")
    assert steps == [("file", False), ("folder", True)]
    path.unlink()
    steps.clear()
    assert create_file(path, b"content")
    assert steps == [("file", False), ("folder", True)]


def test_of_many_that_create_a_file_at_once_one_wins(tmp_path: Path) -> None:
    path, ready = tmp_path / "file", threading.Barrier(8)

    def create(number: int) -> bool:
        ready.wait()
        return create_file(path, b"%d" % number)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert path.read_bytes() == b"%d" % won.index(True)
    assert names(tmp_path) == ["file"]


def test_the_mode_is_the_one_asked_for_less_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "shared", "")
        write_file(tmp_path / "private", "", mode=0o600)
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("shared", "private")]
    assert modes == [0o640, 0o600]


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "missing" / "file", "")


def test_what_a_killed_process_has_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    own, theirs = tmp_path / "secrets", tmp_path / "import"
    for folder in (own, theirs):
        folder.mkdir()
        done = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(folder / "file")], check=False)
        assert done.returncode == -signal.SIGKILL
        (folder / ".hidden").write_bytes(b"")
    [draft] = set(own.iterdir()) - {own / ".hidden"}
    assert sweep_drafts(tmp_path, [theirs]) == 0
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    write_file(own / "file", b"whole")
    assert sweep_drafts(tmp_path, [theirs]) == 1
    assert not draft.exists()
    assert names(own) == [".hidden", "file"]
    assert len(names(theirs)) == 2
    assert sweep_drafts(tmp_path / "absent") == 0
