"""Indexing from bytes to committed rows: what a frame takes, stage by stage, and how workers add up."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.speed.watch import Watch
from benchmark.types import Progress
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.model.serving.model import ServedModel
from hmar.model.serving.runtime import BackboneRuntime
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, Message
from hmar.wiring import Engine, build_engine

FOLDER = "sizing"
WARM_UP = 5
"""Files before those that count: the decoder starts, and statements are made ready."""
DECODE, BACKBONE, HEADS, ROWS, REST = (
    "open and decode",
    "backbone",
    "windows and heads",
    "database",
    "the rest",
)


def measure_indexing(
    settings: Settings, files: Sequence[Path], progress: Progress
) -> list[dict[str, object]]:
    """Index files in this process and return a row with what each stage takes a frame.

    Stages are told in processor time, which other programs on the machine change less than the clock: of this
    process, and of its decoder for what it decodes.

    Parameters
    ----------
    settings : Settings
        ``home`` is used up.
    files : sequence of Path
        Of one frame each, more than ``WARM_UP``.
    progress : Progress
    """
    messages = _submitted(settings, files)
    with closing(build_engine(settings, None, InlineQueue())) as engine, ExitStack() as timed:
        spent: defaultdict[str, float] = defaultdict(float)
        for number, message in enumerate(messages):
            if number == WARM_UP:
                timed.enter_context(_stages(engine, spent))
                watch = timed.enter_context(closing(Watch(os.getpid())))
                begun, used = time.perf_counter(), time.process_time()
            engine.indexer.handle(message)
            progress("indexing", number + 1, len(messages))
        seconds, own_s = time.perf_counter() - begun, time.process_time() - used
        timed.close()
        decoder_s = watch.processor_s().get("decoders", 0.0)
        windows = [len(row.encoded.window_ids) for row in engine.catalogue.tail(0, len(files)) if row.encoded]
    counted = len(messages) - WARM_UP
    spent[REST] = own_s - sum(spent.values())
    spent[DECODE] += decoder_s
    return [
        {
            "protocol": "sizing",
            "part": "indexing",
            "name": "bytes to committed row, one process",
            "frames": counted,
            "frames_per_s": round(counted / seconds, 2),
            "processor_ms": round(1000 * (own_s + decoder_s) / counted, 2),
            "stage_ms": {stage: round(1000 * spent[stage] / counted, 2) for stage in _ORDER},
            "windows_mean": round(float(np.mean(windows)), 1),
            "windows_quartiles": [float(each) for each in np.percentile(windows, [25, 75])],
        }
    ]


def measure_workers(
    settings: Settings, files: Sequence[Path], workers: Sequence[int], rounds: int, progress: Progress
) -> list[dict[str, object]]:
    """Index files by several processes at once, all numbers in turn; return a row for each number.

    Every process takes its share of the items of one job. The clock runs from when all are ready until the
    last is done.
    """
    rates: defaultdict[int, list[float]] = defaultdict(list)
    for number in range(rounds):
        for count in workers if number % 2 == 0 else reversed(workers):
            home = replace(settings, home=settings.home / f"{number}-{count}")
            rates[count].append(len(files) / _together(home, files, count))
            progress("indexing by several", number + 1, rounds)
    return [
        {
            "protocol": "sizing",
            "part": "indexing",
            "name": f"bytes to committed row, {count} processes",
            "processes": count,
            "frames": len(files),
            "rounds": rounds,
            "frames_per_s": round(float(np.median(found)), 2),
            "frames_per_s_range": [round(min(found), 2), round(max(found), 2)],
            "threads_of_machine": os.cpu_count(),
        }
        for count, found in rates.items()
    ]


_ORDER = (DECODE, BACKBONE, HEADS, ROWS, REST)


@contextmanager
def _stages(engine: Engine, spent: defaultdict[str, float]) -> Iterator[None]:
    """Add what calls of the product's parts take, as long as this is entered."""
    owners: list[tuple[str, Any, tuple[str, ...]]] = [
        (BACKBONE, BackboneRuntime, ("map",)),
        (HEADS, ServedModel, ("window_logits", "global_logits")),
        (ROWS, type(engine.catalogue), ("append", "last_seq", "instance")),
        (ROWS, type(engine.jobs), ("claim", "finish")),
        (ROWS, type(engine.models), ("roles",)),
        (DECODE, type(engine.decoder), ("open",)),
        (DECODE, _file_type(engine), ("frame",)),
    ]
    with ExitStack() as restored:
        for stage, owner, names in owners:
            for name in names:
                own = getattr(owner, name)
                setattr(owner, name, _timed(own, stage, spent))
                restored.callback(setattr, owner, name, own)
        yield


def _file_type(engine: Engine) -> type:
    from benchmark.speed.phantom import phantom_file

    return type(engine.decoder.open(phantom_file(0, 64)))


def _timed(call: Callable[..., Any], stage: str, spent: defaultdict[str, float]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        begun = time.process_time()
        try:
            return call(*given, **named)
        finally:
            spent[stage] += time.process_time() - begun

    return timed


def _submitted(settings: Settings, files: Sequence[Path]) -> list[Message]:
    """Copy files into the import folder and create a job over them; return the messages of its items."""
    folder = settings.import_root / FOLDER
    folder.mkdir(parents=True)
    for number, path in enumerate(files):
        shutil.copyfile(path, folder / f"{number:05}.dcm")
    with closing(build_engine(settings, None, InlineQueue())) as engine:
        job_id = engine.jobs.create(FOLDER, Origin("import", FOLDER))
        engine.indexer.resume(job_id)
        items = engine.jobs.items(job_id, {ItemState.QUEUED}, len(files))
        return [Message("item", str(item.item_id)) for item in items]


def _together(settings: Settings, files: Sequence[Path], count: int) -> float:
    messages = _submitted(settings, files)
    context = multiprocessing.get_context("spawn")
    ready, go = context.Queue(), context.Event()
    shares = [[int(one.target) for one in messages[first::count]] for first in range(count)]
    processes = [context.Process(target=_work, args=(settings, share, ready, go)) for share in shares]
    for process in processes:
        process.start()
    for _ in processes:
        ready.get()
    begun = time.perf_counter()
    go.set()
    for process in processes:
        process.join()
    return time.perf_counter() - begun


def _work(settings: Settings, items: Sequence[int], ready: Queue[int], go: Any) -> None:
    with closing(build_engine(settings, None, InlineQueue())) as engine:
        engine.encoders.current()
        ready.put(os.getpid())
        go.wait()
        for item in items:
            engine.indexer.handle(Message("item", str(item)))
