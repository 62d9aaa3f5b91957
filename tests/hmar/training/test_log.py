"""The log is appended to, and begun anew where a run is resumed."""

import json

import pytest

pytest.importorskip("nibabel", reason="the extra 'train' is not installed")

from hmar.training.log import TrainingLog


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_line_is_in_the_file_at_once_and_earlier_ones_are_not_written_again(tmp_path):
    path = tmp_path / "log"
    with TrainingLog(path) as log:
        log.add({"number": 1})
        assert read(path) == [{"number": 1}]
        path.write_text("")  # what is there is never written again
        log.add({"number": 2})
    assert path.read_bytes().lstrip(b"\0") == b'{"number": 2}\n'
    assert log.lines == [{"number": 1}, {"number": 2}]


def test_a_resumed_run_drops_the_steps_after_its_checkpoint(tmp_path):
    path = tmp_path / "log"
    with TrainingLog(path) as log:
        for number in range(3):
            log.add({"number": number})
    with TrainingLog(path, [{"number": 0}]) as log:
        log.add({"number": 1, "again": True})
    assert read(path) == [{"number": 0}, {"number": 1, "again": True}]
