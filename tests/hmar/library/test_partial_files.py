"""A file with bad frames: the good ones are indexed, and it says so each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import hmar
from hmar.cli import main
from hmar.thumbnail import ThumbnailEncoder
from tests.hmar.cine import PIXELS, jpeg_cine
from tests.hmar.dicom.build import image

pytestmark = pytest.mark.slow

FRAMES = len(PIXELS)


def cine(*cut: int) -> bytes:
    return jpeg_cine(FRAMES, *cut)


def numbers(archive: hmar.Archive) -> list[int]:
    return [entry.info.frame_number for entry in archive.frames()]


@pytest.mark.parametrize("cut", [(18,), (1,), (20,), (3, 7, 8, 9), (16, 17)])
def test_the_good_frames_are_indexed_and_the_bad_ones_named(
    monkeypatch: pytest.MonkeyPatch, cut: tuple[int, ...]
) -> None:
    encode, encoded = ThumbnailEncoder.encode, []

    def counted(self: ThumbnailEncoder, frame: hmar.Frame) -> object:
        encoded.append(frame.info.frame_number)
        return encode(self, frame)

    monkeypatch.setattr(ThumbnailEncoder, "encode", counted)
    good = [number for number in range(1, FRAMES + 1) if number not in cut]
    with hmar.Archive(model="thumbnail") as archive:
        first, again = archive.add(cine(*cut)), archive.add(cine(*cut))
        assert first == again
        assert encoded == good == numbers(archive)
    assert (first.indexed, first.unchanged, first.failed, first.frames) == (0, 0, 0, len(good))
    [(_, reason)] = first.partial
    assert reason is not None
    assert reason.startswith(f"{len(good)} of {FRAMES} frames are indexed. Frame")
    assert "ends within its own header" in reason
    named = {(18,): "Frame 18: The compressed", (3, 7, 8, 9): "Frames 3, 7-9: The compressed"}
    assert named.get(cut, "The compressed") in reason


def test_a_file_without_a_good_frame_fails(tmp_path: Path) -> None:
    with hmar.Archive(model="thumbnail") as archive:
        added = archive.add(cine(*range(1, FRAMES + 1)))
        assert len(archive) == 0
    [(_, reason)] = added.failures
    assert (added.failed, added.partial, added.frames) == (1, (), 0)
    assert str(reason).startswith("0 of 20 frames are indexed. Frames 1-20: The compressed")


def test_the_whole_file_adds_the_frames_that_were_missing() -> None:
    with hmar.Archive(model="thumbnail") as archive:
        archive.add(cine(18))
        added = archive.add(cine())
        assert (added.indexed, added.partial) == (1, ())
        assert numbers(archive) == list(range(1, FRAMES + 1))
        assert archive.add(cine()).unchanged == 1
        # Of the first file, a frame still cannot be compared.
        assert [str(reason)[:5] for _, reason in archive.add(cine(18)).partial] == ["19 of"]


def test_what_cannot_be_compared_at_all_is_not_taken_for_the_same() -> None:
    with hmar.Archive(model="thumbnail") as archive:
        archive.add(cine(*range(2, FRAMES + 1)))
        added = archive.add(cine(1))
        assert (added.failed, numbers(archive)) == (1, [1])


def test_the_command_line_tells_of_files_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMAR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HMAR_MODEL_DIR", "thumbnail")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "whole.dcm").write_bytes(image(PIXELS[0], SOPInstanceUID="1.2.3.9"))
    (folder / "part.dcm").write_bytes(cine(18))
    done = CliRunner().invoke(main, ["index", str(folder)])
    assert done.exit_code == 0
    assert "1 files indexed, 1 in part, 0 unchanged, 0 failed" in done.output
    done = CliRunner().invoke(main, ["index", str(folder / "part.dcm"), "--json"])
    assert done.exit_code == 0
    outcome = json.loads(done.stdout)
    assert (outcome["partial"], outcome["failed"], outcome["frames"]) == (1, 0, 19)
    assert outcome["failures"] == []
    [named] = outcome["partial_files"]
    assert named["file"] == "part.dcm"
    assert named["reason"].startswith("19 of 20 frames are indexed. Frame 18: ")
