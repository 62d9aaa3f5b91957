"""Fuzz targets: kept inputs replayed, what counts as a crash, and one run of atheris."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.trust.fuzzing.child import counted, executed, where
from benchmark.trust.fuzzing.corpus import KEPT, corpus_of
from benchmark.trust.fuzzing.native import damaged, fuzz_native
from benchmark.trust.fuzzing.target import TARGETS, load_target
from benchmark.trust.material.streams import compressed_files
from tests.require import require_module


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    """Undo what a target does to the process that it usually has for itself."""
    logger = logging.getLogger("hmar.index")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.slow
@pytest.mark.usefixtures("_logs_as_before")
@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_and_kept_input_ends_in_a_result_or_a_promised_error(name: str) -> None:
    once = load_target(name).make()
    for data in corpus_of(name).values():
        once(data)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_seeds_that_fit_and_kept_inputs(name: str) -> None:
    target = load_target(name)
    assert all(0 < len(data) <= target.most_bytes for data in target.seeds().values())
    assert list((KEPT / name).iterdir())


def test_the_kept_inputs_are_small() -> None:
    assert sum(path.stat().st_size for path in KEPT.rglob("*")) < 1 << 20


def test_an_unexpected_error_is_written_down_once_for_each_place_and_counted(tmp_path: Path) -> None:
    (tmp_path / "crashes").mkdir()

    def once(data: bytes) -> None:
        if data == b"a":
            raise KeyError(data)
        if data:
            raise RecursionError

    run = counted(once, tmp_path)
    for data in (b"", b"a", b"b", b"a", b"c"):
        run(data)
    assert executed(tmp_path) == 5
    kept = {path.read_bytes() for path in (tmp_path / "crashes").glob("*.bin")}
    assert kept == {b"a", b"b"}


def test_a_crash_is_named_by_class_and_place() -> None:
    with pytest.raises(ValueError, match="x") as caught:
        raise ValueError("x of a patient")
    assert where(caught.value).startswith("ValueError at test_fuzzing.py:")
    assert "patient" not in where(caught.value)


@pytest.mark.slow
def test_atheris_finds_its_way_from_the_corpus(tmp_path: Path) -> None:
    require_module("atheris", "trust")
    for part in ("corpus", "crashes", "ended"):
        (tmp_path / part).mkdir()
    for name, data in corpus_of("streams").items():
        (tmp_path / "corpus" / name).write_bytes(data)
    command = [sys.executable, "-m", "benchmark.trust.fuzzing.child", "streams", "2000", "1", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[3], timeout=100)
    assert executed(tmp_path) == 2000
    assert not list((tmp_path / "crashes").iterdir())


def test_damage_changes_the_stream_and_nothing_before_it() -> None:
    generator = random.Random(1)
    for data in compressed_files().values():
        altered = damaged(data, generator)
        start = data.index(b"\xfe\xff\x00\xe0")
        assert altered[:start] == data[:start]
        assert altered != data or damaged(data, generator) != data


@pytest.mark.slow
def test_damaged_streams_end_nothing_but_decoders() -> None:
    row, failures = fuzz_native(40, seed=3)
    assert row["executions"] == 40
    assert failures == []
