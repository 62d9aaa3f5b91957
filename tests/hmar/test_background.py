"""What is done in the background: one at a time between processes, and it fails with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hmar.background import Background, Show, Task
from hmar.errors import BackupError, ConflictError
from hmar.values.plain import Json

HANGING = """
import sys, time
from pathlib import Path
from hmar.background import Background

def hang(task, show):
    show("hanging", 1, 2)
    print("begun", flush=True)
    time.sleep(600)

Background(Path(sys.argv[1]), "backup").do(hang)
"""


def test_what_was_asked_for_is_done_once_and_its_result_is_known(tmp_path: Path) -> None:
    background = Background(tmp_path / "run", "backup", clock=lambda: 0.0)
    assert background.last() is None
    assert not background.do(lambda _task, _show: {})
    asked = background.ask("first")
    assert (asked.state, asked.asked_at) == ("waiting", "1970-01-01T00:00:00.000+00:00")
    seen: list[Task | None] = []

    def work(task: Task, show: Show) -> Json:
        assert task.name == "first"
        show("counting", 3, 4)
        seen.append(background.last())
        with pytest.raises(ConflictError, match="running"):
            background.ask("second")
        return {"found": 7}

    assert background.do(work)
    assert not background.do(work)
    [running] = seen
    assert running is not None
    assert running.step is not None
    assert (running.state, *running.step) == ("running", "counting", 3, 4)
    done = background.last()
    assert done is not None
    assert (done.state, done.step, done.result) == ("done", None, {"found": 7})
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "run" / "backup.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("error", "problem"),
    [(BackupError("It is damaged.", "Mend it."), "It is damaged."), (ValueError("name"), "ValueError")],
)
def test_an_error_is_told_and_another_may_be_asked_for(
    tmp_path: Path, error: Exception, problem: str
) -> None:
    background = Background(tmp_path, "backup")
    background.ask("first")

    def work(_task: Task, _show: Show) -> Json:
        raise error

    assert background.do(work)
    last = background.last()
    assert last is not None
    assert last.problem is not None
    assert last.remedy
    assert (last.state, problem in last.problem, "name" in last.problem) == ("failed", True, False)
    assert background.ask("second").state == "waiting"


def test_of_many_who_ask_at_once_one_is_heard(tmp_path: Path) -> None:
    heard: list[str] = []
    begin = threading.Barrier(8)

    def ask(name: str) -> None:
        begin.wait()
        try:
            heard.append(Background(tmp_path, "backup").ask(name).name)
        except ConflictError:
            return

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = Background(tmp_path, "backup").last()
    assert last is not None
    assert heard == [last.name]


def test_a_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    background = Background(tmp_path, "backup")
    background.ask("first")
    for text in ("", "[]", "{", '{"step": null}'):
        (tmp_path / "backup.json").write_text(text)
        assert background.last() is None
        assert not background.do(lambda _task, _show: {})
    assert background.ask("second").state == "waiting"


def test_another_process_has_it_in_hand_until_it_is_killed(tmp_path: Path) -> None:
    background = Background(tmp_path, "backup")
    background.ask("first")
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with pytest.raises(ConflictError, match="running"):
            background.ask("second")
        with background.alone() as held:
            assert not held
        assert not background.do(lambda _task, _show: {})
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    last = background.last()
    assert last is not None
    assert (last.state, last.problem) == ("failed", "The process that did it has ended.")
    assert background.ask("second").name == "second"
