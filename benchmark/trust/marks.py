"""Kills at marked points: strace ends a process at the n-th of a kind of system call.

A marked point is the moment before a step that outlives the process: a write to the database, a sync, a
rename, a link, a removal, a message. All that the steps before it did is there, and nothing of what follows.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmark.trust.nursery import PATIENCE_S, HungError, wait_until_held

CALLS = [
    *("fdatasync", "fsync", "ftruncate", "link", "linkat", "mkdir", "mkdirat", "pwrite64"),
    *("rename", "renameat", "renameat2", "rmdir", "unlink", "unlinkat"),
]
MESSAGES = ["sendto"]
"""What a process tells others by: messages to the broker, and answers."""
_LINE = re.compile(r"(\w+)\(")


class Mark(NamedTuple):
    """A point in a process: before its n-th call of a name."""

    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


def unavailable() -> str | None:
    """Return why there are no marked points on this machine, None where there are."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    command = [strace, "-qq", "-o", os.devnull, "true"]
    tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed words
    return None if tried.returncode == 0 else "strace may not trace here"


class Tracer:
    """strace on a process that is held or runs.

    Parameters
    ----------
    pid : int
        Process, of which the first thread is traced.
    out : Path
        Takes the calls, where ``mark`` is None.
    mark : Mark or None
        Where to kill it.
    calls : sequence of str
        What is traced.
    follow : bool
        Whether its other threads are traced too, and children that it starts from now on. It is slow.
    """

    def __init__(
        self, pid: int, out: Path, mark: Mark | None, calls: list[str] = CALLS, follow: bool = False
    ) -> None:
        named = [mark.call] if mark else [f"?{call}" for call in calls]
        command = ["strace", "-qq", "-o", str(out), "-p", str(pid), "-e", f"trace={','.join(named)}"]
        command += ["-e", "signal=none", *(["-f"] if follow else [])]
        if mark:
            command += ["-e", f"inject={mark.call}:signal=SIGKILL:when={mark.number}"]
        self._strace = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + PATIENCE_S
        while not _traced(pid):
            if self._strace.poll() is not None or time.monotonic() > end:
                raise HungError("strace did not attach")
            time.sleep(0.002)

    def detach(self) -> None:
        """Stop tracing; the process goes on."""
        if self._strace.poll() is None:
            self._strace.send_signal(signal.SIGINT)
        self._strace.wait(PATIENCE_S)


def trace_held(pid: int, out: Path, mark: Mark | None) -> Tracer:
    """Trace a process that holds itself, and let it run."""
    wait_until_held(pid)
    tracer = Tracer(pid, out, mark)
    os.kill(pid, signal.SIGCONT)
    return tracer


def marks_in(trace: Path) -> list[Mark]:
    """Return all points of an undisturbed run, in order of call and number."""
    lines = trace.read_text(errors="replace").splitlines()
    counts = Counter(found[1] for line in lines if (found := _LINE.match(line)))
    return [Mark(call, number) for call in sorted(counts) for number in range(1, counts[call] + 1)]


def spread(marks: list[Mark], count: int) -> list[Mark]:
    """Choose marks evenly, the first of each call among them where there is room."""
    if len(marks) <= count:
        return marks
    firsts = [mark for mark in marks if mark.number == 1][:count]
    rest = [mark for mark in marks if mark.number > 1]
    room = count - len(firsts)
    return sorted(firsts + [rest[number * len(rest) // room] for number in range(room)])


def _traced(pid: int) -> bool:
    try:
        status = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return False
    return "TracerPid:\t0\n" not in status
