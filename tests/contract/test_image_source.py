"""One scenario, every image source: what is listed can be fetched, and nothing else can."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from hmar.adapters.folder_source import FolderSource
from hmar.adapters.memory import MemorySource, MemoryUploads
from hmar.adapters.upload_store import UploadStore
from hmar.errors import LimitError, NoImageError, NotFoundError, UnavailableError
from hmar.ports import ImageSource, UploadSource

FILES = {"b/2": b"two", "b/10": b"ten", "a": b"", "c/d/e": b"deep"}


@dataclass
class Rig:
    """A source, and the reference of each of its files by content."""

    source: ImageSource
    references: dict[str, bytes]


@pytest.fixture(params=["memory", "folder", "upload", "memory upload"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    if request.param == "memory":
        return Rig(MemorySource(FILES), FILES)
    if request.param == "folder":
        write_tree(tmp_path / "root")
        return Rig(FolderSource(tmp_path / "root"), FILES)
    store = MemoryUploads() if request.param == "memory upload" else UploadStore(tmp_path / "uploads")
    return Rig(store, {store.put(data): data for data in FILES.values()})


def write_tree(root: Path) -> None:
    for name, data in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_every_file_is_fetched_as_it_was(rig: Rig) -> None:
    for reference, data in rig.references.items():
        assert rig.source.fetch(reference, 100) == data


def test_a_file_lists_itself(rig: Rig) -> None:
    for reference in rig.references:
        assert list(rig.source.list(reference)) == [reference]


def test_a_file_over_the_limit_is_refused_and_one_at_the_limit_is_not(rig: Rig) -> None:
    reference = next(name for name, data in rig.references.items() if data == b"deep")
    assert rig.source.fetch(reference, 4) == b"deep"
    with pytest.raises(LimitError):
        rig.source.fetch(reference, 3)


@pytest.mark.parametrize("reference", ["nothing", "0" * 64, "b/3", "a\0b"])
def test_an_unknown_reference_is_not_found(rig: Rig, reference: str) -> None:
    with pytest.raises(NotFoundError):
        rig.source.fetch(reference, 100)
    with pytest.raises(NotFoundError):
        list(rig.source.list(reference))


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_folder_lists_all_below_it_in_a_stable_order(kind: str, tmp_path: Path) -> None:
    write_tree(tmp_path)
    source: ImageSource = MemorySource(FILES) if kind == "memory" else FolderSource(tmp_path)
    assert sorted(source.list(".")) == sorted(FILES)
    assert list(source.list(".")) == list(source.list("."))
    assert list(source.list("b")) == ["b/10", "b/2"]
    assert list(source.list("c/")) == ["c/d/e"]


def test_an_absolute_reference_inside_the_root_is_the_relative_one(tmp_path: Path) -> None:
    write_tree(tmp_path)
    source = FolderSource(tmp_path)
    assert list(source.list(str(tmp_path / "b"))) == ["b/10", "b/2"]
    assert source.fetch(str(tmp_path / "b/2"), 10) == b"two"


@pytest.mark.parametrize(
    "reference", ["..", "../outside", "b/../../outside", "/etc/hostname", "link", "links/x"]
)
def test_nothing_outside_the_root_is_read(tmp_path: Path, reference: str) -> None:
    root = tmp_path / "root"
    write_tree(root)
    (tmp_path / "outside").write_bytes(b"secret")
    (root / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_bytes(b"secret")
    (root / "links").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotFoundError):
        FolderSource(root).fetch(reference, 100)
    with pytest.raises(NotFoundError):
        list(FolderSource(root).list(reference))


def test_a_link_inside_the_root_is_followed(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "b" / "2")
    assert FolderSource(tmp_path).fetch("again", 10) == b"two"


def test_hidden_files_and_folders_are_not_listed(tmp_path: Path) -> None:
    write_tree(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x").write_bytes(b"x")
    (tmp_path / "b" / ".DS_Store").write_bytes(b"x")
    assert sorted(FolderSource(tmp_path).list(".")) == sorted(FILES)


def test_an_empty_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(FolderSource(tmp_path).list("."))


def test_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(FolderSource(tmp_path).list(".")) == ["pipe"]
    with pytest.raises(NoImageError, match="a pipe"):
        FolderSource(tmp_path).fetch("pipe", 10)


def test_equal_bytes_are_stored_once(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    assert store.put(b"same") == store.put(b"same")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [store.put(b"same")]


def test_an_upload_that_cannot_be_stored_is_the_operators_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError):
        UploadStore(tmp_path / "file").put(b"x")


@pytest.fixture(params=["memory", "disk"])
def uploads(request: pytest.FixtureRequest, tmp_path: Path) -> UploadSource:
    return MemoryUploads() if request.param == "memory" else UploadStore(tmp_path / "uploads")


def test_uploads_are_listed_and_removed_one_by_one(uploads: UploadSource) -> None:
    assert list(uploads.references()) == []
    one, two = uploads.put(b"one"), uploads.put(b"two")
    assert sorted(uploads.references()) == sorted([one, two])
    assert uploads.remove(one)
    assert not uploads.remove(one)
    assert list(uploads.references()) == [two]
    with pytest.raises(NotFoundError):
        uploads.fetch(one, 10)
    assert uploads.put(b"one") == one
    assert uploads.fetch(one, 10) == b"one"


@pytest.mark.parametrize("reference", ["nothing", "../x", "A" * 64])
def test_only_a_reference_of_an_upload_removes_any(tmp_path: Path, reference: str) -> None:
    with pytest.raises(NotFoundError):
        UploadStore(tmp_path).remove(reference)


def test_files_that_are_no_uploads_are_not_listed(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    reference = store.put(b"one")
    (tmp_path / reference).write_bytes(b"in the wrong folder")
    (tmp_path / reference[:2] / f".{reference}.0123456789abcdef").write_bytes(b"a draft")
    with store.receiving():
        assert list(store.references()) == [reference]


def test_removing_keeps_receiving_waiting(uploads: UploadSource) -> None:
    order: list[str] = []

    def receive() -> None:
        with uploads.receiving():
            order.append("received")

    with uploads.removing() as held:
        assert held
        thread = threading.Thread(target=receive)
        thread.start()
        thread.join(0.2)
        order.append("removed")
    thread.join(20)
    assert order == ["removed", "received"]


def test_removing_gives_up_where_something_is_received_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.adapters.upload_store.REMOVING_WAIT_S", 0.05)
    mine, theirs = UploadStore(tmp_path), UploadStore(tmp_path)
    with theirs.receiving(), mine.receiving(), mine.removing() as held:
        assert not held
    with mine.removing() as held:
        assert held


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_upload_is_told_once_and_kept_apart(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    good, bad = store.put(b"good bytes"), store.put(b"bad bytes")
    flip(tmp_path / bad[:2] / bad)
    with pytest.raises(NotFoundError, match="damaged"):
        store.fetch(bad, 100)
    with pytest.raises(NotFoundError, match="no file"):
        store.fetch(bad, 100)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    assert store.fetch(good, 100) == b"good bytes"
    assert list(store.references()) == [good]
    store.remove(bad)
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_a_damaged_upload_is_replaced_by_the_bytes_that_come_again(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    reference = store.put(b"bytes")
    flip(tmp_path / reference[:2] / reference)
    assert store.put(b"bytes") == reference
    assert store.fetch(reference, 100) == b"bytes"


def test_an_upload_is_checked_without_being_returned(tmp_path: Path) -> None:
    store = UploadStore(tmp_path)
    reference = store.put(b"bytes")
    assert store.check(reference)
    flip(tmp_path / reference[:2] / reference)
    assert not store.check(reference)
    assert list(store.references()) == []


def test_an_upload_that_is_read_back_otherwise_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(path: Path, content: bytes) -> None:
        path.write_bytes(content[:-1])

    monkeypatch.setattr("hmar.adapters.upload_store.write_file", lossy)
    with pytest.raises(UnavailableError, match="read back"):
        UploadStore(tmp_path).put(b"bytes")
