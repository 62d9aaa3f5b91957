"""Folders as they are found: links, loops, odd names, odd files, and what changes or cannot be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hmar.adapters import folder_tree
from hmar.adapters.folder_source import FolderSource
from hmar.errors import InputError, NoImageError, NotFoundError

MAX = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def write(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def contents(root: Path, start: str = ".") -> dict[str, bytes | str]:
    """Return what is found at each reference: the bytes, or why there are none."""
    source, found = FolderSource(root), dict[str, bytes | str]()
    for reference in source.list(start):
        assert reference not in found
        try:
            found[reference] = source.fetch(reference, MAX)
        except InputError as error:
            found[reference] = error.detail
    return found


def test_a_linked_folder_inside_the_root_is_followed(root: Path) -> None:
    write(root / "series" / "a" / "1")
    (root / "cohort").mkdir()
    (root / "cohort" / "link").symlink_to(root / "series" / "a")
    assert contents(root, "cohort") == {"cohort/link/1": b"x"}


def test_a_linked_folder_below_the_start_is_listed_at_its_own_place_and_the_link_says_so(root: Path) -> None:
    write(root / "z" / "1")
    (root / "a").symlink_to(root / "z")
    assert contents(root) == {
        "z/1": b"x",
        "a": "The link leads to a folder that is listed at another place.",
    }


def test_of_two_links_to_a_folder_the_first_is_followed(root: Path) -> None:
    write(root / "series" / "1")
    for name in ("a", "b"):
        (root / "cohort").mkdir(exist_ok=True)
        (root / "cohort" / name).symlink_to(root / "series")
    found = contents(root, "cohort")
    assert found == {
        "cohort/a/1": b"x",
        "cohort/b": "The link leads to a folder that is listed at another place.",
    }


def test_loops_end_and_are_named(root: Path) -> None:
    write(root / "a" / "1")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "self").symlink_to(".")
    loop = "The link leads to a folder that it lies in: a loop."
    assert contents(root) == {"a/1": b"x", "a/self": loop, "a/up": loop}


def test_a_loop_over_two_linked_folders_ends(root: Path) -> None:
    write(root / "a" / "1")
    write(root / "b" / "2")
    (root / "a" / "to_b").symlink_to(root / "b")
    (root / "b" / "to_a").symlink_to(root / "a")
    found = contents(root, "a")
    assert (found.pop("a/1"), found.pop("a/to_b/2")) == (b"x", b"x")
    assert found == {"a/to_b/to_a": "The link leads to a folder that is listed at another place."}


def test_a_link_above_the_start_is_a_loop_and_not_the_whole_disk(root: Path) -> None:
    write(root / "secret")
    write(root / "a" / "1")
    (root / "a" / "all").symlink_to(root)
    assert contents(root, "a") == {
        "a/1": b"x",
        "a/all": "The link leads to a folder that it lies in: a loop.",
    }


def test_links_out_of_the_root_are_named_and_nothing_behind_them_is_read(root: Path) -> None:
    write(root.parent / "outside" / "1", b"secret")
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "file").symlink_to(root.parent / "outside" / "1")
    out = "The path leads out of the folder that may be read."
    assert contents(root) == {"file": out, "folder": out}


def test_links_that_lead_nowhere_are_named(root: Path) -> None:
    (root / "dangling").symlink_to(root / "gone")
    (root / "itself").symlink_to("itself")
    found = contents(root)
    assert found["dangling"] == "There is no file or folder at this reference."
    assert "symbolic links" in str(found["itself"])


def test_a_root_that_is_a_link_is_read(root: Path) -> None:
    write(root / "1")
    (root.parent / "link").symlink_to(root)
    assert contents(root.parent / "link") == {"1": b"x"}


def test_pipes_sockets_and_devices_are_no_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root / "1")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(root)
        server.bind("socket")
    source = FolderSource(root)
    assert list(source.list(".")) == ["1", "pipe", "socket"]
    for name, kind in (("pipe", "a pipe"), ("socket", "a socket")):
        with pytest.raises(NoImageError, match=kind):
            source.fetch(name, MAX)
    with pytest.raises(NoImageError, match="a device"):
        FolderSource(Path("/dev")).fetch("null", MAX)


@contextmanager
def unreadable(monkeypatch: pytest.MonkeyPatch, folder: Path, error: OSError) -> Iterator[None]:
    """Refuse to list one folder, to whatever user, root too."""
    listed = os.open

    def refusing(path: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if Path(path) == folder and flags & os.O_DIRECTORY:
            raise error
        return listed(path, flags, *rest, dir_fd=dir_fd)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refusing)
        yield


def test_a_folder_that_cannot_be_read_is_named_and_ends_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1", "b/2", "c/3"):
        write(root / name)
    with unreadable(monkeypatch, root / "b", PermissionError(13, "Permission denied")):
        assert contents(root) == {
            "a/1": b"x",
            "b": "The folder cannot be listed (Permission denied).",
            "c/3": b"x",
        }


def test_a_start_that_cannot_be_read_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        unreadable(monkeypatch, root, PermissionError(13, "Permission denied")),
        pytest.raises(NotFoundError, match="Permission denied"),
    ):
        list(FolderSource(root).list("."))


def test_a_folder_and_a_file_that_vanish_during_the_listing_are_named(root: Path) -> None:
    for name in ("a/1", "b/2", "c/3"):
        write(root / name)
    source = FolderSource(root)
    listing = source.list(".")
    assert next(listing) == "a/1"
    (root / "b" / "2").unlink()
    (root / "b").rmdir()
    assert list(listing) == ["b", "c/3"]
    with pytest.raises(NotFoundError, match="no file or folder"):
        source.fetch("b", MAX)


NAMES = [
    b"\xff\xfe.dcm",
    b"caf\xe9",
    "größe 1.dcm".encode(),
    b"new\nline",
    b"\x1b[31mred",
    b"tab\t\x7f",
    rb"back\slash",
    rb"\xff",
    b"n" * 255,
    "é".encode() * 127,
    b" ",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_listed_and_read_again(root: Path, name: bytes) -> None:
    write(root / "folder" / os.fsdecode(name), name)
    source = FolderSource(root)
    [reference] = source.list(".")
    reference.encode()  # a database takes it
    assert source.fetch(reference, MAX) == name
    assert list(source.list(reference)) == [reference]


@pytest.mark.parametrize("name", [b"\xff", b"new\nline"])
def test_a_folder_of_any_name_is_listed(root: Path, name: bytes) -> None:
    write(root / os.fsdecode(name) / "1")
    [reference] = FolderSource(root).list(".")
    assert FolderSource(root).fetch(reference, MAX) == b"x"


@contextmanager
def nested(monkeypatch: pytest.MonkeyPatch, root: Path, names: list[str]) -> Iterator[Path]:
    """Make a file within folders in one another, step by step, and remove them again; yield its path."""
    monkeypatch.chdir(root)
    for name in names:
        Path(name).mkdir()
        os.chdir(name)
    Path("file").write_bytes(b"deep")
    yield Path(*names, "file")
    Path("file").unlink()
    for name in reversed(names):
        os.chdir("..")
        Path(name).rmdir()


@pytest.fixture
def deep(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file whose path is far longer than the kernel takes."""
    with nested(monkeypatch, root, [f"{number:03}" + "d" * 97 for number in range(100)]) as path:
        yield path


def test_a_path_longer_than_the_kernel_takes_is_listed_and_read_again(root: Path, deep: Path) -> None:
    assert len(str(deep)) > 2 * folder_tree.PATH_BYTES
    assert contents(root) == {str(deep): b"deep"}


def test_a_tree_of_a_thousand_folders_in_one_another_is_listed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nested(monkeypatch, root, ["d"] * 1000):
        assert contents(root) == {"d/" * 1000 + "file": b"deep"}


def test_a_long_path_through_a_linked_folder_is_read(root: Path, deep: Path) -> None:
    (root / "start").mkdir()
    (root / "start" / "link").symlink_to(root / deep.parts[0])
    found = contents(root, "start")
    assert list(found.values()) == [b"deep"]


def test_what_is_hidden_is_counted(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(root / "1")
    write(root / ".hidden" / "x")
    write(root / "a" / ".DS_Store")
    write(root / "a" / "2")
    with caplog.at_level("INFO"):
        assert list(FolderSource(root).list(".")) == ["1", "a/2"]
    assert "2 hidden files and folders" in caplog.text
