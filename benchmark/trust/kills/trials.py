"""An operation, killed at many points: each time on a fresh copy of the archive before it."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmark.trust.kills.operations import COLLECTION, OPERATIONS, Operation
from benchmark.trust.kills.tally import Tally, at_rest
from benchmark.trust.marks import Mark, marks_in, spread, trace_held, unavailable
from benchmark.trust.nursery import HungError, Life, begin
from benchmark.trust.oracle.rows import Frames, frames_of
from benchmark.trust.oracle.violations import differences, neither, remains
from benchmark.trust.settings import environment_of

AT_ONCE = 4
"""Trials run at a time: they mostly wait for leases."""
_HERE = "benchmark.trust.kills.operations"


@dataclass(frozen=True, slots=True)
class Stage:
    """The archive before an operation, and what it may become.

    Parameters
    ----------
    name : str
        Of :data:`OPERATIONS`.
    folder : Path
        Holds ``before``, the data directory, and a folder for each trial.
    images : Path
        The folder that is indexed.
    before, final : dict
        The frames before the operation, and after an undisturbed run.
    marks : list of Mark
        All points of that run.
    seconds : float
        It took.
    """

    name: str
    folder: Path
    images: Path
    before: Frames
    final: Frames
    marks: list[Mark]
    seconds: float

    @property
    def gone(self) -> Frames:
        """The frames that the operation deletes."""
        return {key: codes for key, codes in self.before.items() if key not in self.final}

    @property
    def operation(self) -> Operation:
        """The operation."""
        return OPERATIONS[self.name]


def set_stage(name: str, folder: Path, images: Path) -> Stage:
    """Make the archive before an operation, and run that once undisturbed, counting its steps.

    Raises
    ------
    RuntimeError
        If the undisturbed run does not give what it must.
    """
    template, undisturbed = folder / "before", folder / "undisturbed"
    template.mkdir(parents=True)
    _life(name, "prepare", template, images).value()
    shutil.copytree(template, undisturbed)
    begun = time.monotonic()
    life = _life(name, "act", undisturbed, images, held=unavailable() is None)
    trace = folder / "trace"
    if unavailable() is None:
        tracer = trace_held(life.pid, trace, None)
        life.value()
        tracer.detach()
    life.value()
    seconds = time.monotonic() - begun
    final = frames_of(undisturbed / "home")
    expected = {(COLLECTION, *key) for key in OPERATIONS[name].expected()}
    if set(final) != expected:
        raise RuntimeError(f"{name}, undisturbed, leaves {len(final)} frames in place of {len(expected)}")
    before = frames_of(template / "home")
    if OPERATIONS[name].replaces and any(before[key] == final[key] for key in final):
        raise RuntimeError(f"{name}, undisturbed, leaves old frames")
    marks = marks_in(trace) if trace.exists() else []
    return Stage(name, folder, images, before, final, marks, seconds)


def try_kills(stage: Stage, marked: int, randomly: int, seed: int, say: Callable[[str], None]) -> Tally:
    """Kill the operation at so many marked points and random moments, and complete it each time."""
    tally = Tally()
    drawn = random.Random(f"{seed} {stage.name}")  # noqa: S311 - repeatable, not secret
    moments: list[Mark | float] = [drawn.uniform(0, stage.seconds) for _ in range(randomly)]
    points = [*spread(stage.marks, marked), *moments]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        trials = pool.map(lambda numbered: _trial(stage, *numbered), enumerate(points))
        for number, (point, (killed, wrong)) in enumerate(zip(points, trials, strict=True), 1):
            kind = "marked" if isinstance(point, Mark) else "random"
            at = f"before {point}" if isinstance(point, Mark) else f"after {point:.3f} s"
            tally.add(kind, killed, wrong, f"{stage.operation.process}, {stage.operation.name}, killed {at}")
            if number % 20 == 0:
                say(f"kills: {stage.name}: {number} of {len(points)}")
    return tally


def _trial(stage: Stage, number: int, point: Mark | float) -> tuple[bool, list[str]]:
    """Return whether the process was killed, and what was wrong then or after it was completed."""
    folder = stage.folder / f"trial-{number}"
    shutil.copytree(stage.folder / "before", folder)
    try:
        life = _killed(stage, folder, point)
        killed = not life.completed
        wrong = _allowed_after(stage, folder / "home") if killed else []
        wrong += _life(stage.name, "complete", folder, stage.images).value()
        wrong += at_rest(folder / "home", stage.final)
        wrong += remains(folder / "home", stage.gone)
    except (HungError, RuntimeError, AssertionError, OSError, sqlite3.Error) as error:
        return True, [f"{error} ({type(error).__name__})"]
    finally:
        shutil.rmtree(folder)
    return killed, wrong


def _killed(stage: Stage, folder: Path, point: Mark | float) -> Life:
    life = _life(stage.name, "act", folder, stage.images, held=isinstance(point, Mark))
    if isinstance(point, Mark):
        tracer = trace_held(life.pid, folder / "trace", point)
        life.wait()
        tracer.detach()
    else:
        time.sleep(point)
        life.kill()
        life.wait()
    return life


def _allowed_after(stage: Stage, home: Path) -> list[str]:
    if stage.operation.replaces:
        wrong = neither(home, stage.before, stage.final)
    else:
        wrong = differences(home, [stage.before, stage.final], stage.operation.partial)
    return [f"right after it, {text}" for text in wrong]


def _life(name: str, what: str, folder: Path, images: Path, held: bool = False) -> Life:
    home = folder / "home"
    environment = environment_of(home)
    return begin(folder, what, environment, f"{_HERE}:{what}", name, str(home), str(images), held=held)
