"""Child processes: restarted with growing pauses, stopped with grace, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hmar.processes import STEADY_S, Child, _ending
from tests.contract.examples import Clock

REPOSITORY = Path(__file__).parents[2]


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


@pytest.mark.parametrize(
    ("status", "said"),
    [(3, "ended with status 3"), (-9, "was killed by SIGKILL"), (-40, "was killed by signal 40")],
)
def test_every_end_can_be_told(status: int, said: str) -> None:
    assert _ending(status) == said


class CountedChild(Child):
    """A child that counts how often it was started."""

    starts = 0

    def start(self) -> None:
        self.starts += 1
        super().start()


class Crashing:
    """A child that ends with status 7 at once, on a clock that says how long it lived."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.clock = Clock()
        command = [sys.executable, "-c", "raise SystemExit(7)"]
        self.child = CountedChild("part", command, os.environ, self.heard, clock=self.clock)

    def pause_after(self, lived_s: float) -> str:
        """Let it crash after so long, and return the pause that is announced."""
        said = len(self.heard.lines)
        self.clock.now += lived_s
        until(lambda: self.child.tend() or len(self.heard.lines) > said)
        return self.heard.lines[-1][1].removeprefix("part ended with status 7; it is started again in ")

    def pauses_after(self, lives: Sequence[float]) -> list[str]:
        """Let it crash again and again, and start it again when its pause is over."""
        pauses = []
        for lived_s in lives:
            pauses.append(self.pause_after(lived_s))
            self.clock.now += float(pauses[-1].removesuffix(" s"))
            self.child.tend()
        return pauses


@pytest.fixture
def crashing() -> Iterator[Crashing]:
    crashing = Crashing()
    crashing.child.start()
    yield crashing
    crashing.child.stop(5, lambda: False)


@pytest.mark.slow
def test_a_crash_is_told_and_pauses_grow_to_half_a_minute(crashing: Crashing) -> None:
    assert crashing.pauses_after([0] * 7) == ["1 s", "2 s", "4 s", "8 s", "16 s", "30 s", "30 s"]


@pytest.mark.slow
def test_a_child_that_lived_for_a_while_has_recovered_and_its_pauses_grow_anew(crashing: Crashing) -> None:
    lives = [0, 0, STEADY_S, STEADY_S + 1, 0, STEADY_S + 1]
    assert crashing.pauses_after(lives) == ["1 s", "2 s", "4 s", "1 s", "2 s", "1 s"]


def test_a_child_is_started_again_when_its_pause_is_over_and_not_before(crashing: Crashing) -> None:
    assert crashing.pause_after(lived_s=0) == "1 s"
    for elapsed_s, starts in ((0.0, 1), (0.75, 1), (0.25, 2)):
        crashing.clock.now += elapsed_s
        crashing.child.tend()
        assert crashing.child.starts == starts


@pytest.mark.slow
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


def test_a_child_gets_open_files_and_may_keep_its_errors_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    program = f"import os, sys; os.write({writing}, b'passed'); print('told'); print('own', file=sys.stderr)"
    heard = Heard()
    command = [sys.executable, "-c", program]
    part = Child("part", command, os.environ, heard, descriptors=[writing], own_errors=True)
    part.start()
    os.close(writing)
    with os.fdopen(reading, "rb") as passed:
        assert passed.read() == b"passed"
    until(lambda: heard.lines)
    part.stop(5, lambda: False)
    assert heard.lines == [("part", "told")]
    assert capfd.readouterr().err == "own\n"


def test_children_that_are_told_to_end_together_end_together() -> None:
    heard = Heard()
    parts = [child("import time; print('there', flush=True); time.sleep(600)", heard) for _ in range(2)]
    for part in parts:
        part.start()
    until(lambda: len(heard.lines) == 2)
    for part in parts:
        part.terminate()
    for part in parts:
        part.await_end(600.0, lambda: False)
        part.tend()
    assert ["SIGTERM" in line for _, line in heard.lines[2:]] == [True, True]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_dies_with_a_parent_that_was_killed() -> None:
    program = (
        "import os, sys, time\nfrom hmar.processes import Child\n"
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
