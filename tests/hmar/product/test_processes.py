"""Child processes: restarted with growing pauses, stopped with grace, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hmar.product.processes import BACKOFF_S, Child

REPOSITORY = Path(__file__).parents[3]


class Heard:
    """What children said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))


def child(program: str, say: Callable[[str, str], None], stdin: str = "") -> Child:
    return Child("part", [sys.executable, "-c", program], os.environ, say, stdin)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_output_comes_line_by_line_and_standard_input_arrives() -> None:
    heard = Heard()
    part = child("print(input()); print(); print('end')", heard, "password\n")
    part.start()
    until(lambda: ("part", "end") in heard.lines)
    assert heard.lines == [("part", "password"), ("part", "end")]
    part.stop(5, lambda: False)


def test_a_crash_is_told_and_the_first_pause_is_a_second() -> None:
    heard = Heard()
    part = child("raise SystemExit(7)", heard)
    part.start()
    until(lambda: part.tend() or part.failures)
    assert heard.lines[-1] == ("hmar", "part ended with status 7; it is started again in 1 s")
    until(lambda: part.tend() or part.failures > 1)
    assert heard.lines[-1] == ("hmar", "part ended with status 7; it is started again in 2 s")
    part.stop(5, lambda: False)


def test_pauses_grow_to_half_a_minute() -> None:
    assert list(BACKOFF_S) == sorted(BACKOFF_S)
    assert BACKOFF_S[-1] == 30


@pytest.mark.parametrize(("grace_s", "hurried"), [(0.2, False), (600.0, True)])
def test_a_child_that_ignores_sigterm_is_killed(grace_s: float, hurried: bool) -> None:
    heard = Heard()
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\n"
    )
    part = child(program + "time.sleep(600)", heard)
    part.start()
    until(lambda: heard.lines)
    part.stop(grace_s, lambda: hurried)
    part.tend()
    assert "SIGKILL" in heard.lines[-1][1]


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_dies_with_a_parent_that_was_killed() -> None:
    program = (
        "import os, sys, time\nfrom hmar.product.processes import Child\n"
        "sleeper = 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'\n"
        "say = lambda name, line: print(line, flush=True)\n"
        "Child('part', [sys.executable, '-c', sleeper], os.environ, say).start()\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    until(lambda: not Path(f"/proc/{pid}").exists())
