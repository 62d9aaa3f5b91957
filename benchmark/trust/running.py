"""Runs parts, and keeps what each found."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from benchmark.trust.parts import Outcome, Part, Run, chosen_parts

Record = dict[str, Any]
"""A part's outcome as it is kept: part, title, short, seed, seconds, summary, rows, failures."""


def run_parts(parts: Sequence[Part], short: bool, seed: int, say: Callable[[str], None]) -> Iterator[Record]:
    """Run parts one after another, and yield the record of each when it has ended.

    A part that raises has failed; the next ones run all the same.
    """
    for part in parts:
        yield _recorded(part, short, seed, say)


def run_side_by_side(parts: Sequence[Part], short: bool, seed: int, jobs: int) -> Iterator[Record]:
    """Run as many parts at a time as there are shares of the processor cores, each on its own cores.

    In the short form all parts run so. In the full form, parts whose figures are times (``alone``) run first,
    without another beside them. Records come as parts end.

    Parameters
    ----------
    parts : sequence of Part
    short, seed
        As in :func:`run_parts`.
    jobs : int
        Number of shares; no more than there are cores.
    """
    first = [] if short else [part for part in parts if part.alone]
    cores = sorted(os.sched_getaffinity(0))
    for part in first:
        yield _in_a_process(part, short, seed, cores)
    waiting = deque(part for part in parts if part not in first)
    done: queue.SimpleQueue[Record | None] = queue.SimpleQueue()

    def work(share: list[int]) -> None:
        while True:
            try:
                part = waiting.popleft()
            except IndexError:
                break
            done.put(_in_a_process(part, short, seed, share))
        done.put(None)

    shares = [cores[place::jobs] for place in range(min(jobs, len(cores)))]
    for share in shares:
        threading.Thread(target=work, args=(share,), daemon=True).start()
    ended = 0
    while ended < len(shares):
        record = done.get()
        if record is None:
            ended += 1
        else:
            yield record


def _in_a_process(part: Part, short: bool, seed: int, cores: list[int]) -> Record:
    begun = time.monotonic()
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=os.sched_setaffinity, initargs=(0, cores)
    ) as pool:
        try:
            return pool.submit(_record_of, part.name, short, seed).result()
        except BrokenProcessPool:
            outcome = Outcome([], {}, ["The process that did the trials ended."])
    return _record(part, short, seed, time.monotonic() - begun, outcome)


def _record_of(name: str, short: bool, seed: int) -> Record:
    [part] = chosen_parts([name])
    return _recorded(part, short, seed, lambda line: click.echo(line, err=True))


def _recorded(part: Part, short: bool, seed: int, say: Callable[[str], None]) -> Record:
    folder = Path(tempfile.mkdtemp(prefix=f"hmar-trust-{part.name}-"))
    begun = time.monotonic()
    try:
        outcome = part.run(Run(short, seed, folder, say))
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = Outcome([], {}, [f"{type(error).__name__}: {error} ({where.name})"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _record(part, short, seed, time.monotonic() - begun, outcome)


def _record(part: Part, short: bool, seed: int, seconds: float, outcome: Outcome) -> Record:
    return {
        "part": part.name,
        "title": part.title,
        "short": short,
        "seed": seed,
        "seconds": round(seconds, 1),
        "summary": outcome.summary,
        "rows": outcome.rows,
        "failures": outcome.failures,
    }
