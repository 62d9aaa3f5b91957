"""``hmar index``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
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
from hmar.indexing.submitting import submit
from hmar.library.added import Added, Failure
from hmar.library.index_job import POLL_S, failed_items, known_job, run_job, skipped_items
from hmar.ports import JobStore
from hmar.properties.kinds.labels import label_value
from hmar.values.entries import Origin
from hmar.values.jobs import Job, JobState
from hmar.values.references import printable, reference_of
from hmar.wiring import build_engine

SHOWN_FAILURES = 20


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
    run again, and it goes on. A file that cannot be read is named with the reason and stops nothing; those
    of its frames that can be read are indexed. Another image under the SOP Instance UID of an indexed one is
    refused, unless HMAR_SAME_UID says otherwise. Files of another kind, such as notes beside images, are
    counted as skipped; --json lists them. The exit status is 1 if no file could be indexed.

    \b
    Examples:
      hmar index /data/lidc
      hmar index scan.dcm --collection teaching --json
      hmar index /data/nodules --label "proven nodules"
    """
    settings = settings_from_environment()
    label = None if label is None else label_value(label)
    origin = Origin("local", reference_of(path.resolve()))
    # A resolved path is never shown: the names below are relative to what was typed.
    begun = time.monotonic()
    console = Console(stderr=True)
    if workers := workers_answering(settings):
        where = "the worker of the running product" if workers == 1 else f"the product's {workers} workers"
        console.print(f"Indexing through {where}.")
        jobs, job = _through_workers(settings, collection, label, origin, console)
    else:
        where = "this process"
        jobs, job = _in_process(settings, collection, label, origin, console)
    added = Added.of_job(job, failed_items(jobs, job), path, skipped_items(jobs, job))
    if as_json:
        click.echo(json.dumps(_outcome(job, added, where, time.monotonic() - begun)))
    else:
        _report(job, added, Console())
    if job.state is JobState.FAILED or added.failed + added.skipped == job.total:
        click.get_current_context().exit(1)


def _through_workers(
    settings: Settings, collection: str, label: str | None, origin: Origin, console: Console
) -> tuple[JobStore, Job]:
    engine = build_engine(settings)
    job_id = submit(engine.jobs, engine.queue, collection, origin, label=label)
    with _progress(console) as bar:
        try:
            while not (job := known_job(engine.jobs, job_id)).finished:
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
    click.get_current_context().call_on_close(engine.close)
    console.print("No worker answers: indexing in this process.")
    with console.status("Loading the model."):
        _ = engine.indexer

    def resumed() -> None:
        console.print("Going on with an interrupted run.")

    with _progress(console) as bar:
        try:
            job = run_job(engine, queue, collection, origin, label=label, report=bar.show, resumed=resumed)
        except KeyboardInterrupt:
            console.print("Interrupted; what is indexed stays. The same command again goes on from here.")
            sys.exit(INTERRUPTED)
    return engine.jobs, job


class _Bar:
    """Shows the progress of a job."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("listing", total=None, frames=0)

    def show(self, job: Job) -> None:
        self._progress.update(
            self._task,
            description="files",
            total=job.total or None,
            completed=job.done,
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


def _outcome(job: Job, added: Added, where: str, seconds: float) -> dict[str, object]:
    return {
        "job_id": job.job_id,
        "collection": job.collection,
        "label": job.label,
        "state": job.state.value,
        "reason": job.reason,
        "where": where,
        "files": job.total,
        "seconds": round(seconds, 3),
        **added.to_dict(),
    }


def _report(job: Job, added: Added, console: Console) -> None:
    if job.state is JobState.FAILED:
        console.print(f"The job failed: {escape(job.reason or 'no reason was kept')}")
        return
    if added.unchanged and not added.indexed and not added.partial:
        console.print(f"nothing new: all {job.frames} frames were indexed already")
    in_part = f"{len(added.partial)} in part, " if added.partial else ""
    others = f"{added.skipped} skipped (no images), " if added.skips else ""
    console.print(
        f"{added.indexed} files indexed, {in_part}{added.unchanged} unchanged, {others}{added.failed} failed"
    )
    _list("Indexed in part", added.partial, console)
    _list("Not indexed", added.failures, console)


def _list(title: str, files: Sequence[Failure], console: Console) -> None:
    if not files:
        return
    table = Table("file", "reason", title=title, box=SIMPLE_HEAD, pad_edge=False)
    for file, reason in files[:SHOWN_FAILURES]:
        table.add_row(escape(printable(file)), escape(printable(reason or "")))
    console.print(table)
    if len(files) > SHOWN_FAILURES:
        console.print(f"and {len(files) - SHOWN_FAILURES} more; --json lists all")
