"""``hmar index``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hmar.adapters.memory import InlineQueue
from hmar.cli import INTERRUPTED
from hmar.cli.settings import settings_from_environment, workers_answering
from hmar.config import Settings
from hmar.errors import OperatorError
from hmar.indexing import submit
from hmar.ports import JobStore
from hmar.product.sample_offer import done
from hmar.properties.kinds.labels import label_value
from hmar.values.entries import Origin
from hmar.values.jobs import Item, ItemState, Job, JobState, Message
from hmar.wiring import build_engine

POLL_S = 0.2
SHOWN_FAILURES = 20
_OPEN_JOBS = frozenset({JobState.QUEUED, JobState.RUNNING})
_BAD = frozenset({ItemState.FAILED, ItemState.DEAD})


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--collection", default="default", show_default=True, help="Name of the collection that they go into."
)
@click.option(
    "--label",
    help="Short free text, 1 to 64 characters, by which hmar search --label finds these images, and which "
    "hmar train --archive learns. What is indexed already keeps its own.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the outcome as JSON, with the reason of each failure."
)
def index(path: Path, collection: str, label: str | None, as_json: bool) -> None:
    """Index the images at PATH, a file or a folder with everything below it.

    DICOM, PNG and JPEG files are read, whatever their extension. The worker of a running product does it;
    without one it is done in this process. Files that are indexed already are skipped: start an interrupted
    run again, and it goes on. A file that cannot be read is named with the reason and stops nothing; the exit
    status is 1 if all files failed.

    \b
    Examples:
      hmar index /data/lidc
      hmar index scan.dcm --collection teaching --json
      hmar index /data/nodules --label "proven nodules"
    """
    settings = settings_from_environment()
    label = None if label is None else label_value(label)
    origin = Origin("local", str(path.resolve()))
    # A resolved path is never shown: the names below are relative to what was typed.
    begun = time.monotonic()
    console = Console(stderr=True)
    if workers := workers_answering(settings):
        where = "the worker of the running product" if workers == 1 else f"the product's {workers} workers"
        console.print(f"Indexing through {where}.")
        jobs, job = _through_workers(settings, collection, label, origin, console)
    else:
        where = "this process"
        console.print("No worker answers: indexing in this process.")
        jobs, job = _in_process(settings, collection, label, origin, console)
    failures = jobs.items(job.job_id, _BAD, sys.maxsize >> 32)
    if as_json:
        click.echo(json.dumps(_outcome(job, failures, path, where, time.monotonic() - begun)))
    else:
        _report(job, failures, path, Console())
    if job.state is JobState.FAILED or len(failures) == job.total:
        click.get_current_context().exit(1)


def _through_workers(
    settings: Settings, collection: str, label: str | None, origin: Origin, console: Console
) -> tuple[JobStore, Job]:
    engine = build_engine(settings)
    job_id = submit(engine.jobs, engine.queue, collection, origin, label=label)
    with _progress(console) as bar:
        try:
            while not (job := _job(engine.jobs, job_id)).finished:
                bar.show(job)
                time.sleep(POLL_S)
            bar.show(job)
        except KeyboardInterrupt:
            console.print(f"Stopped watching; the worker continues job {job_id}.")
            sys.exit(INTERRUPTED)
    return engine.jobs, job


def _in_process(
    settings: Settings, collection: str, label: str | None, origin: Origin, console: Console
) -> tuple[JobStore, Job]:
    queue = InlineQueue()
    engine = build_engine(settings, queue=queue)
    with console.status("Loading the model."):
        indexer = engine.indexer
    job_id = _interrupted(engine.jobs, collection, label, origin)
    with _progress(console) as bar:

        def handle(message: Message) -> None:
            nonlocal job_id
            if message.kind == "expand":
                job_id = message.target
            try:
                indexer.handle(message)
            except OperatorError as error:
                raise _StoppedError(error) from error
            if job_id is not None and bar.due():
                bar.show(_job(engine.jobs, job_id))

        queue.handler = handle
        try:
            if job_id is None:
                job_id = indexer.submit(collection, origin, label=label)
            else:
                console.print("Going on with an interrupted run.")
                indexer.resume(job_id)
            while not (job := _job(engine.jobs, job_id)).finished:
                # A file to try again, or one whose lease another process still holds.
                bar.show(job)
                time.sleep(POLL_S)
                indexer.handle(Message("expand", job_id))
            bar.show(job)
        except _StoppedError as stopped:
            raise stopped.reason from stopped
        except KeyboardInterrupt:
            console.print("Interrupted; what is indexed stays. The same command again goes on from here.")
            sys.exit(INTERRUPTED)
    return engine.jobs, job


class _StoppedError(Exception):
    """The database fails in this process: unlike a broker that is down, no later sweep repairs that."""

    def __init__(self, reason: OperatorError) -> None:
        super().__init__()
        self.reason = reason


def _interrupted(jobs: JobStore, collection: str, label: str | None, origin: Origin) -> str | None:
    for job in jobs.unfinished(_OPEN_JOBS):
        if (job.collection, job.label, job.origin) == (collection, label, origin):
            return job.job_id
    return None


def _job(jobs: JobStore, job_id: str) -> Job:
    job = jobs.job(job_id)
    if job is None:
        raise RuntimeError("a job vanished from the database")
    return job


class _Bar:
    """Shows the progress of a job, updated at most every POLL_S seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("listing", total=None, frames=0)
        self._next = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def show(self, job: Job) -> None:
        self._next = time.monotonic() + POLL_S
        self._progress.update(
            self._task,
            description="files",
            total=job.total or None,
            completed=done(job),
            frames=job.frames,
        )


@contextmanager
def _progress(console: Console) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[frames]} frames"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress)


def _outcome(job: Job, failures: list[Item], path: Path, where: str, seconds: float) -> dict[str, object]:
    return {
        "job_id": job.job_id,
        "collection": job.collection,
        "label": job.label,
        "state": job.state.value,
        "reason": job.reason,
        "where": where,
        "files": job.total,
        "indexed": job.counts[ItemState.INDEXED],
        "unchanged": job.counts[ItemState.UNCHANGED],
        "failed": len(failures),
        "frames": job.frames,
        "seconds": round(seconds, 3),
        "failures": [{"file": _shown(item, path), "reason": item.reason} for item in failures],
    }


def _report(job: Job, failures: list[Item], path: Path, console: Console) -> None:
    if job.state is JobState.FAILED:
        console.print(f"The job failed: {escape(job.reason or 'no reason was kept')}")
        return
    indexed, unchanged = job.counts[ItemState.INDEXED], job.counts[ItemState.UNCHANGED]
    if indexed == 0 and unchanged:
        console.print(f"nothing new: all {job.frames} frames were indexed already")
    console.print(f"{indexed} files indexed, {unchanged} unchanged, {len(failures)} failed")
    if not failures:
        return
    table = Table("file", "reason", title="Not indexed", box=SIMPLE_HEAD, pad_edge=False)
    for item in failures[:SHOWN_FAILURES]:
        table.add_row(escape(_shown(item, path)), escape(item.reason or ""))
    console.print(table)
    if len(failures) > SHOWN_FAILURES:
        console.print(f"and {len(failures) - SHOWN_FAILURES} more; --json lists all")


def _shown(item: Item, path: Path) -> str:
    reference = Path("/", item.origin.reference)
    return os.path.relpath(reference, path.resolve() if path.is_dir() else path.resolve().parent)
