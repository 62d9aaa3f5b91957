"""The store of uploads: what cannot be read just now is not taken for damaged."""

from __future__ import annotations

import errno
import os
from hashlib import file_digest
from pathlib import Path

import pytest

from hmar.adapters.folder_source import FolderSource
from hmar.adapters.upload_store import UploadStore
from hmar.errors import DiskFullError, UnavailableError

DATA = b"an image"
OPEN_FILES = OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "uploads")


def stored(tmp_path: Path) -> list[str]:
    """Return the names of the folders that files are in."""
    return sorted(path.parent.name for path in (tmp_path / "uploads").rglob("[!.]*") if path.is_file())


def refuse_reading(monkeypatch: pytest.MonkeyPatch, error: OSError, after: int = 0) -> None:
    """Let the digest of a file fail, after so many that do not."""
    calls: list[object] = []

    def digest(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > after:
            raise error
        return file_digest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("hmar.adapters.upload_store.hashlib.file_digest", digest)


def test_an_upload_that_cannot_be_read_for_want_of_descriptors_stays(
    store: UploadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = store.put(DATA)
    with monkeypatch.context() as patch:
        refuse_reading(patch, OPEN_FILES)
        with pytest.raises(UnavailableError, match="Too many open files"):
            store.check(reference)
        with pytest.raises(UnavailableError, match="Too many open files"):
            store.put(DATA)
    assert stored(tmp_path) == [reference[:2]]
    assert store.check(reference)
    assert store.fetch(reference, 100) == DATA


def test_an_upload_that_cannot_be_read_after_it_was_moved_is_put_back(
    store: UploadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = store.put(DATA)
    (tmp_path / "uploads" / reference[:2] / reference).write_bytes(b"other")
    with monkeypatch.context() as patch:
        refuse_reading(patch, OPEN_FILES, after=1)
        with pytest.raises(UnavailableError):
            store.check(reference)
    assert stored(tmp_path) == [reference[:2]]
    assert not store.check(reference)
    assert stored(tmp_path) == ["quarantine"]


def test_an_upload_that_the_disk_cannot_read_is_damaged(
    store: UploadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = store.put(DATA)
    refuse_reading(monkeypatch, OSError(errno.EIO, "Input/output error"))
    assert not store.check(reference)
    assert stored(tmp_path) == ["quarantine"]


def test_an_upload_for_which_there_is_no_room_is_told(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hmar.adapters.upload_store.write_file", full)
    with pytest.raises(DiskFullError, match="The upload store cannot be written: the disk is full"):
        store.put(DATA)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE])
def test_a_file_that_cannot_be_read_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "a.dcm").write_bytes(DATA)
    source = FolderSource(tmp_path)

    def refused(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr("hmar.adapters.common.files.os.open", refused)
        with pytest.raises(UnavailableError, match="cannot be read now"):
            source.fetch("a.dcm", 100)
    assert source.fetch("a.dcm", 100) == DATA
