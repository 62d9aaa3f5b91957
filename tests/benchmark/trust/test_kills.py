"""A kill is made where it is meant, and one that loses something is found."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from benchmark.trust.kills import _outcome, operations
from benchmark.trust.kills.aged import age
from benchmark.trust.kills.in_turn import Served, Trial, try_in_turn
from benchmark.trust.kills.operations import OPERATIONS, all_frames, without_first_series
from benchmark.trust.kills.served import finished, submitted
from benchmark.trust.kills.tally import Tally
from benchmark.trust.kills.trials import Stage, set_stage, try_kills
from benchmark.trust.marks import Mark, marks_in, spread, trace_held, unavailable
from benchmark.trust.nursery import HungError, begin
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.oracle.rows import frames_of, opened
from benchmark.trust.settings import environment_of
from hmar.product.running import RunningProduct

strace = pytest.mark.skipif(unavailable() is not None, reason=f"no marked points: {unavailable()}")


def quiet(_line: str) -> None:
    """Say nothing."""


def two_files(folder: str) -> int:
    """Write and sync two files; return their number."""
    for name in ("one", "two"):
        with Path(folder, name).open("w") as file:
            os.fsync(file.fileno())
    return 2


def die_at_once(_folder: str) -> None:
    """Be killed by somebody else."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_process_of_a_trial_says_how_it_ended(tmp_path: Path) -> None:
    environment = environment_of(tmp_path)
    whole = begin(tmp_path, "whole", environment, f"{__name__}:two_files", str(tmp_path))
    assert whole.value() == 2
    died = begin(tmp_path, "died", environment, f"{__name__}:die_at_once", str(tmp_path))
    with pytest.raises(RuntimeError, match="died"):
        died.value()
    assert not died.completed
    failed = begin(tmp_path, "failed", environment, f"{__name__}:two_files", str(tmp_path / "none"))
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        failed.value()


@strace
@pytest.mark.slow
@pytest.mark.parametrize(("number", "files"), [(1, ["one"]), (2, ["one", "two"])])
def test_a_marked_kill_comes_before_its_step(tmp_path: Path, number: int, files: list[str]) -> None:
    work = tmp_path / "work"
    work.mkdir()
    environment = environment_of(tmp_path)
    counted = begin(tmp_path, "counted", environment, f"{__name__}:two_files", str(work), held=True)
    tracer = trace_held(counted.pid, tmp_path / "trace", None)
    assert counted.value() == 2
    tracer.detach()
    assert [mark for mark in marks_in(tmp_path / "trace") if mark.call == "fsync"] == [
        Mark("fsync", 1),
        Mark("fsync", 2),
    ]
    for name in ("one", "two"):
        (work / name).unlink()
    killed = begin(tmp_path, "killed", environment, f"{__name__}:two_files", str(work), held=True)
    tracer = trace_held(killed.pid, tmp_path / "trace", Mark("fsync", number))
    killed.wait()
    tracer.detach()
    assert not killed.completed
    assert sorted(path.name for path in work.iterdir()) == files


def test_marks_are_spread_with_the_first_of_each_call_among_them() -> None:
    marks = [Mark(call, number) for call in ("fsync", "link", "pwrite64") for number in range(1, 30)]
    chosen = spread(marks, 9)
    assert len(set(chosen)) == 9
    assert {mark.call for mark in chosen if mark.number == 1} == {"fsync", "link", "pwrite64"}
    assert spread(marks[:4], 9) == marks[:4]
    assert len(spread(marks, 2)) == 2


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album") / "images"
    write_album(folder, album(0))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_survives_a_kill_of_each_kind(tmp_path: Path, images: Path, name: str) -> None:
    stage = set_stage(name, tmp_path / name, images)
    tally = try_kills(stage, marked=1, randomly=1, seed=1, say=quiet)
    assert tally.failures == []
    assert tally.survived == tally.tried
    assert tally.tried + tally.ended_first == 2 - (unavailable() is not None)


@pytest.mark.slow
def test_an_operation_that_loses_something_is_found(tmp_path: Path, images: Path) -> None:
    stage = set_stage("index", tmp_path / "index", images)
    other = dict(stage.final)
    other.popitem()
    forgetful = Stage("index", stage.folder, images, stage.before, other, stage.marks, stage.seconds)
    tally = try_kills(forgetful, marked=0, randomly=1, seed=1, say=quiet)
    assert tally.survived == 0
    assert "1 frames too many" in " ".join(tally.failures)


def test_what_was_deleted_is_what_the_oracle_says() -> None:
    assert len(all_frames()) == 24
    assert len(all_frames() - without_first_series()) == 2


@pytest.mark.slow
def test_an_aged_archive_is_of_the_first_schema_and_keeps_its_frames(home: Path) -> None:
    before = frames_of(home)
    age(home)
    assert frames_of(home) == before
    with opened(home) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(log)")}
    assert "sessions" not in tables
    assert "mark" not in columns
    operations.migrate(home, home)
    assert frames_of(home) == before


def test_what_is_wrong_at_the_end_takes_one_kill_from_those_survived() -> None:
    tally = Tally(random=2, survived=1)
    tally.add_at_end([], "kills")
    assert (tally.survived, tally.failures) == (1, [])
    tally.add_at_end(["a draft is left", "a job is open"], "kills")
    assert (tally.survived, tally.failures) == (0, ["kills: a draft is left", "kills: a job is open"])
    tally.add_at_end(["one more"], "kills")
    assert tally.survived == 0


@pytest.mark.slow
def test_a_product_that_hangs_is_one_failure_and_the_next_trial_has_a_new_one(
    tmp_path: Path, images: Path
) -> None:
    tally = Tally()
    seen: list[RunningProduct] = []

    def hangs(served: Served, number: int) -> list[str]:
        seen.append(served.product)
        raise HungError(f"trial {number} hung")

    def indexes(served: Served, number: int) -> list[str]:
        seen.append(served.product)
        finished(served.home, submitted(served.product, f"round-{number}"))
        served.expected = frames_of(served.home)
        return []

    trials = [Trial("first", tally, hangs), Trial("second", tally, indexes)]
    try_in_turn(trials, tmp_path, images, "trials", quiet)
    assert (tally.tried, tally.survived, tally.failures) == (2, 1, ["first: trial 0 hung"])
    assert seen[0].process.returncode == -signal.SIGKILL
    assert seen[1].home != seen[0].home
    assert seen[1].process.returncode == 0


def test_kills_that_came_too_late_are_no_kills() -> None:
    tally = Tally()
    tally.add("marked", True, [], "a")
    tally.add("random", False, [], "b")
    tally.add("random", True, ["lost"], "c")
    outcome = _outcome({("worker", "index jobs"): tally})
    assert (outcome.summary["tried"], outcome.summary["survived"]) == (2, 1)
    assert outcome.rows[0]["ended first"] == 1
    assert outcome.failures == ["c: lost"]
