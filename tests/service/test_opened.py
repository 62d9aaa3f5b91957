"""Indexed frames are read again from their files; one that changed meanwhile is not shown as the old one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hmar.errors import NotFoundError
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo, Origin
from service.kept_frames import KeptFrames
from service.opened import OpenedFiles
from tests.phantoms import ct_file, slice_hu, sop_uid
from tests.service.conftest import Archive

SLICES = 3
FILE_BYTES = max(len(ct_file(1, number)) for number in range(1, SLICES + 1)) + 2048


@pytest.fixture
def folder(empty_archive: Archive) -> Path:
    folder = empty_archive.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    for number in range(1, SLICES + 1):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    empty_archive.engine.indexer.submit("default", Origin("import", "chest"))
    return folder


def entry(archive: Archive, number: int) -> EntryInfo:
    [found] = archive.engine.catalogue.find(sop_uid(1, number), archive.engine.encoder.fingerprint)
    return found


def shows(files: OpenedFiles, wanted: EntryInfo, number: int) -> bool:
    return bool(np.array_equal(files.frame(wanted).values, np.rint(slice_hu(1, number)).clip(min=-1024)))


@pytest.mark.slow
def test_a_file_is_read_once_while_it_is_kept(empty_archive: Archive, folder: Path) -> None:
    files, first = OpenedFiles(empty_archive.engine), entry(empty_archive, 1)
    assert shows(files, first, 1)
    (folder / "1.dcm").unlink()
    assert shows(files, first, 1)


@pytest.mark.slow
def test_the_file_used_longest_ago_goes_first(empty_archive: Archive, folder: Path) -> None:
    files = OpenedFiles(empty_archive.engine, max_bytes=2 * FILE_BYTES)
    for number in (1, 2, 1, 3):
        assert shows(files, entry(empty_archive, number), number)
    for path in folder.iterdir():
        path.unlink()
    for number in (1, 3):
        assert shows(files, entry(empty_archive, number), number)
    with pytest.raises(NotFoundError):
        files.frame(entry(empty_archive, 2))


@pytest.mark.slow
def test_a_file_larger_than_what_may_be_kept_is_read_each_time(empty_archive: Archive, folder: Path) -> None:
    files, first = OpenedFiles(empty_archive.engine, max_bytes=FILE_BYTES - 100), entry(empty_archive, 1)
    assert shows(files, first, 1)
    (folder / "1.dcm").unlink()
    with pytest.raises(NotFoundError):
        files.frame(first)


@pytest.mark.slow
def test_a_file_that_holds_another_image_by_now_is_not_shown_as_the_old_one(
    empty_archive: Archive, folder: Path
) -> None:
    image = f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image"
    (folder / "1.dcm").write_bytes(ct_file(1, 2))
    answer = empty_archive.client.get(image)
    assert answer.status_code == 404
    assert "another image" in answer.get_json(force=True)["detail"]
    (folder / "1.dcm").write_bytes(ct_file(1, 1))
    assert empty_archive.client.get(image).status_code == 200


@pytest.mark.slow
def test_a_file_that_holds_other_pixels_by_now_is_not_shown_as_the_old_one(
    empty_archive: Archive, folder: Path
) -> None:
    files, first = OpenedFiles(empty_archive.engine), entry(empty_archive, 1)
    original = (folder / "1.dcm").read_bytes()
    altered = bytearray(original)
    altered[-2000] ^= 1
    (folder / "1.dcm").write_bytes(altered)
    answer = empty_archive.client.get(f"/api/v1/instances/{sop_uid(1, 1)}/frames/1/image")
    assert answer.status_code == 404
    assert "other pixels" in answer.get_json(force=True)["detail"]
    with pytest.raises(NotFoundError, match="other pixels"):
        files.frame(first)
    (folder / "1.dcm").write_bytes(original)
    assert shows(files, first, 1)


@pytest.mark.slow
def test_a_file_kept_is_read_again_for_an_image_that_came_after_it(
    empty_archive: Archive, folder: Path
) -> None:
    files = OpenedFiles(empty_archive.engine)
    assert shows(files, entry(empty_archive, 1), 1)
    (folder / "1.dcm").write_bytes(ct_file(1, 4))
    empty_archive.engine.indexer.submit("default", Origin("import", "chest"))
    assert shows(files, entry(empty_archive, 4), 4)


@pytest.mark.slow
def test_threads_that_ask_for_the_same_files_see_what_is_in_them(
    empty_archive: Archive, folder: Path
) -> None:
    files = OpenedFiles(empty_archive.engine, max_bytes=2 * FILE_BYTES)
    asked = [1 + step % SLICES for step in range(30)]
    entries = {number: entry(empty_archive, number) for number in set(asked)}
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda number: shows(files, entries[number], number), asked))


@pytest.mark.slow
def test_a_frame_is_decoded_once_while_it_is_kept(empty_archive: Archive, folder: Path) -> None:
    frame_bytes = slice_hu(1, 1).size * 4
    files = OpenedFiles(empty_archive.engine, max_bytes=0, frame_bytes=frame_bytes)
    first, second = entry(empty_archive, 1), entry(empty_archive, 2)
    frame = files.frame(first)
    (folder / "1.dcm").unlink()
    assert files.frame(first) is frame
    assert shows(files, second, 2)
    with pytest.raises(NotFoundError):  # the second took its place
        files.frame(first)


@pytest.mark.slow
def test_a_frame_under_the_number_of_another_ones_entry_is_not_shown_as_that(
    empty_archive: Archive, folder: Path
) -> None:
    """As in a database that was restored from an older copy and continued differently."""
    files = OpenedFiles(empty_archive.engine, frame_bytes=1 << 20)
    first, second = entry(empty_archive, 1), entry(empty_archive, 2)
    assert shows(files, first, 1)
    assert shows(files, replace(second, entry_id=first.entry_id), 2)


@pytest.mark.slow
def test_frames_are_forgotten_when_they_are_deleted_or_nobody_asks_for_them(
    empty_archive: Archive, folder: Path
) -> None:
    engine = empty_archive.engine
    files = OpenedFiles(engine, frame_bytes=1 << 20)
    kept = KeptFrames(files, engine.kept_maps)
    first, second = entry(empty_archive, 1), entry(empty_archive, 2)
    frames = [files.frame(first), files.frame(second)]
    kept.forget_unused()
    assert [files.frame(first), files.frame(second)] == frames
    engine.catalogue.delete(Selector("instance", sop_uid(1, 1)))
    kept.drop_deleted()
    assert files.frame(second) is frames[1]
    with pytest.raises(NotFoundError, match="not indexed any more"):
        files.frame(first)
    files.forget(unused_for_s=0)
    assert files.frame(second) is not frames[1]
