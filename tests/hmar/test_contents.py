"""Bytes on the disk are asked as bytes in memory are."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from hmar import contents
from hmar.contents import Collected, FileBytes, digest_of, stream_of

DATA = bytes(range(256)) * 40


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileBytes:
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return FileBytes.owning(os.open(path, os.O_RDONLY))


def test_slices_and_parts_are_those_of_the_bytes(on_disk: FileBytes) -> None:
    assert len(on_disk) == len(DATA)
    for start, stop in [(0, 10), (250, 900), (len(DATA) - 3, len(DATA) + 9), (7, 3), (-5, None)]:
        assert on_disk[start:stop] == DATA[start:stop]
    part = on_disk.part(100, 5000).part(50, 1000)
    assert part[:] == DATA[150:1100]
    assert digest_of(part) == digest_of(DATA[150:1100])
    assert digest_of(on_disk) == digest_of(DATA)
    with pytest.raises(ValueError, match="step of 2"):
        on_disk[::2]


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        (b"\x63\x64\x65", 0, None),
        (bytes(range(95, 110)), 300, None),
        (b"\xff\x00\x01", 0, 200),
        (b"no", 0, None),
    ],
)
def test_what_lies_across_pieces_is_found(
    wanted: bytes, start: int, stop: int | None, on_disk: FileBytes
) -> None:
    assert on_disk.find(wanted, start, stop) == DATA.find(wanted, start, stop)


def test_a_stream_reads_and_seeks_as_one_over_memory(on_disk: FileBytes) -> None:
    for stream in (stream_of(on_disk), stream_of(DATA)):
        assert stream.read(5) == DATA[:5]
        assert stream.seek(-4, io.SEEK_END) == len(DATA) - 4
        assert stream.read() == DATA[-4:]
        assert stream.read(1) == b""
        stream.seek(100)
        stream.seek(20, io.SEEK_CUR)
        assert (stream.tell(), stream.read(2)) == (120, DATA[120:122])


def test_a_file_that_became_shorter_is_an_error_and_no_shorter_slice(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    found = FileBytes.owning(os.open(path, os.O_RDONLY))
    os.truncate(path, 100)
    with pytest.raises(OSError, match="shorter"):
        found[50:150]


def test_much_is_collected_on_the_disk_and_leaves_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    monkeypatch.setattr(contents, "HELD_BYTES", 1000)
    few, many = Collected(tmp_path), Collected(tmp_path)
    few.add(DATA[:1000])
    for start in range(0, len(DATA), 77):
        many.add(DATA[start : start + 77])
    held, on_disk = few.content(), many.content()
    assert held == DATA[:1000]
    assert isinstance(on_disk, FileBytes)
    assert on_disk[:] == DATA
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pwrite(on_disk.descriptor, b"x", 0)
    assert list(tmp_path.iterdir()) == []
