"""What is asked for in one process and done in the background by another, one at a time.

::

    HMAR_HOME/run/<what>.json      what was asked for last, and how far it is
                 /<what>.lock      held by the process that does it
                 /<what>.asking    held for a moment by one that asks for it

The kernel lets go of a lock when its process dies: what was running then has failed. None of it is in the
database, which may be what is to be verified.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hmar.disk import writing
from hmar.errors import ConflictError, HmarError
from hmar.files import write_file
from hmar.locks import locked
from hmar.values.background import OPEN_STATES, Step, TaskState, time_text
from hmar.values.plain import Json

NOTED_EVERY_S = 1.0
"""Progress is written no more often."""
Show = Callable[[str, int, int], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """What was asked for.

    Parameters
    ----------
    name : str
    state : str
    asked_at : str
    ended_at : str or None
    step : Step or None
        While it runs.
    result : dict or None
        Of one that is done.
    problem, remedy : str or None
        Of one that failed.
    """

    name: str
    state: TaskState
    asked_at: str
    ended_at: str | None = None
    step: Step | None = None
    result: dict[str, Any] | None = None
    problem: str | None = None
    remedy: str | None = None

    def failed(self, problem: str, remedy: str, ended_at: str | None = None) -> Task:
        """Return the task as one that failed."""
        return replace(
            self, state="failed", ended_at=ended_at, step=None, result=None, problem=problem, remedy=remedy
        )


class Background:
    """One kind of work in the background.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    what : str
        Its name in files and errors.
    clock : callable
        Returns seconds since the epoch.
    """

    def __init__(self, folder: Path, what: str, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._what = what
        self._clock = clock
        self._file = folder / f"{what}.json"

    def ask(self, name: str) -> Task:
        """Have it done by whoever looks next; raises ConflictError while one waits or runs."""
        with writing("HMAR_HOME/run"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._folder / f"{self._what}.asking", exclusive=True, wait=True):
                last = self.last()
                if last is not None and last.state in OPEN_STATES:
                    raise ConflictError(
                        f"A {self._what} is {last.state} already, asked for at {last.asked_at}.",
                        "Wait until it has ended. One that waits is begun by a worker: is there one?",
                    )
                task = Task(name, "waiting", time_text(self._clock()))
                self._write(task)
        return task

    def last(self) -> Task | None:
        """Return what was asked for last, None for nothing."""
        task = self._read()
        if task is not None and task.state == "running" and self._is_free():
            task = self._read()  # it may have ended between the two looks
            if task is not None and task.state == "running":
                return task.failed("The process that did it has ended.", "Ask for it again.")
        return task

    def do(self, work: Callable[[Task, Show], Json]) -> bool:
        """Do what waits, unless another process does; return whether anything was done.

        Errors of ``work``, which is told the task and shows its progress, become the task's.
        """
        if not self._file.exists():
            return False
        with self.alone() as held:
            task = self._read() if held else None
            if task is None or task.state != "waiting":
                return False
            self._write(replace(task, state="running"))
            self._write(self._ended(task, work))
        return True

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Keep other processes from doing it meanwhile; gives False where one does it now."""
        with writing("HMAR_HOME/run"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._folder / f"{self._what}.lock", exclusive=True, wait=False) as held:
                yield held

    def _ended(self, task: Task, work: Callable[[Task, Show], Json]) -> Task:
        try:
            result = work(task, self._noting(task))
        except HmarError as error:
            _log.error("the %s failed: %s", self._what, error)
            return task.failed(error.detail, error.remedy, time_text(self._clock()))
        except Exception as error:
            _log.error("the %s failed: %s", self._what, type(error).__name__)
            return task.failed(
                f"Unexpected {type(error).__name__}.", "See the worker's log.", time_text(self._clock())
            )
        return replace(task, state="done", ended_at=time_text(self._clock()), result=result)

    def _noting(self, task: Task) -> Show:
        noted_at = float("-inf")

        def show(what: str, done: int, total: int) -> None:
            nonlocal noted_at
            now = time.monotonic()
            if now - noted_at >= NOTED_EVERY_S:
                noted_at = now
                with suppress(OSError):  # a disk that is full is told by the work itself
                    self._write(replace(task, state="running", step=Step(what, done, total)))

        return show

    def _is_free(self) -> bool:
        with locked(self._folder / f"{self._what}.lock", exclusive=False, wait=False) as free:
            return free

    def _read(self) -> Task | None:
        """Return what is written down; a file that is none of ours is as good as none."""
        try:
            told = json.loads(self._file.read_bytes())
            return Task(**{**told, "step": Step.from_dict(told["step"])})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _write(self, task: Task) -> None:
        told = {**asdict(task), "step": None if task.step is None else task.step.to_dict()}
        write_file(self._file, json.dumps(told), mode=0o600)
