"""Processes that begin with everything imported: a trial costs milliseconds, and may still be killed.

They are forked by multiprocessing's fork server, which has one thread and has only imported the product.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from benchmark.trust.settings import take_environment

PRELOADED = [
    "benchmark.trust.oracle.inspection",
    "hmar.adapters.celery_queue",
    "hmar.adapters.embedded_broker",
    "hmar.adapters.sql.storage",
    "hmar.cli.index",
    "hmar.library.archive",
    "hmar.thumbnail",
    "service.__main__",
    "service.serving",
    "workers.__main__",
    "celery.app.amqp",
    "celery.app.control",
    "celery.concurrency.thread",
    "celery.worker.consumer",
]
"""Imported by the fork server. None of them starts a thread."""
PATIENCE_S = 120.0
_starting = threading.Lock()


class HungError(Exception):
    """A process that did not end."""


@dataclass(frozen=True, slots=True)
class Life:
    """A process and where it says how it ended.

    Parameters
    ----------
    process : ForkServerProcess
    result : Path
        Written when it came to its end: absent for one that was killed.
    log : Path
        Its output.
    """

    process: ForkServerProcess
    result: Path
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        if self.process.pid is None:
            raise RuntimeError("the process was not started")
        return self.process.pid

    @property
    def completed(self) -> bool:
        """Whether it came to its end, by returning or by an error."""
        return self.result.exists()

    def kill(self) -> None:
        """Kill it with SIGKILL, unless it has ended."""
        self.process.kill()

    def wait(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until it has ended; one that does not is killed, and HungError raised."""
        self.process.join(patience_s)
        if self.process.is_alive():
            self.kill()
            self.process.join()
            raise HungError(f"no end within {patience_s:.0f} s: {self.last_lines()}")

    def value(self) -> Any:
        """Wait, and return what the function returned; raises RuntimeError with the log where it did not."""
        self.wait()
        if not self.completed:
            raise RuntimeError(f"the process died: {self.last_lines()}")
        answer = json.loads(self.result.read_text())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def last_lines(self) -> str:
        """Return the end of its output, in one line."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return " | ".join(text.strip().splitlines()[-3:])


def context() -> ForkServerContext:
    """Return the context whose fork server has the product imported."""
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload(PRELOADED)
    return forked


def begin(
    folder: Path,
    name: str,
    environment: Mapping[str, str],
    function: str,
    *arguments: Any,
    held: bool = False,
) -> Life:
    """Start a function in a process of its own.

    Parameters
    ----------
    folder : Path
        Takes its result and its log.
    name : str
        Of these files.
    environment : mapping of str to str
        Its whole environment.
    function : str
        What it runs, as ``module:name``; returns something that is JSON.
    arguments
        What it is called with.
    held : bool
        Whether it stops itself (SIGSTOP) before it runs the function: see :func:`wait_until_held`.
    """
    result, log = folder / f"{name}.json", folder / f"{name}.log"
    result.unlink(missing_ok=True)
    arguments_of_live = (str(result), str(log), dict(environment), held, function, arguments)
    # A start also asks after the other processes, which two threads must not do at once.
    with _starting:
        process = context().Process(target=_live, args=arguments_of_live)
        process.start()
    return Life(process, result, log)


def wait_until_held(pid: int) -> None:
    """Wait until a process has stopped itself."""
    end = time.monotonic() + PATIENCE_S
    while state_of(pid) not in "Tt":
        if time.monotonic() > end:
            raise HungError(f"process {pid} did not stop itself")
        time.sleep(0.002)


def state_of(pid: int) -> str:
    """Return the letter of a process's state (proc(5)), X for one that is gone."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _live(
    result: str,
    log: str,
    environment: dict[str, str],
    held: bool,
    function: str,
    arguments: tuple[Any, ...],
) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    take_environment(environment)
    os.setpgid(0, 0)
    if held:
        os.kill(os.getpid(), signal.SIGSTOP)
    try:
        module, _, name = function.partition(":")
        answer = {"value": getattr(importlib.import_module(module), name)(*arguments)}
    except BaseException as error:
        traceback.print_exc()
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.flush()
    # Not by rename: what is counted and interrupted are the steps of the product alone.
    Path(result).write_text(json.dumps(answer))
    os._exit(0)
