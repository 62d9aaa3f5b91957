"""``hmar reindex``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from hmar.adapters.memory import InlineQueue
from hmar.cli import INTERRUPTED
from hmar.cli.progress import Show, progress_of
from hmar.cli.settings import settings_from_environment, workers_answering
from hmar.encoder import shipped_models
from hmar.library.index_job import POLL_S, failed_items, known_job, run_job
from hmar.values.jobs import Job, JobState, reindexing_origin
from hmar.values.models import ModelName
from hmar.values.references import printable
from hmar.wiring import Engine, build_engine

SHOWN_FAILURES = 20


@click.command()
@click.option(
    "--model",
    required=True,
    metavar="MODEL",
    help="Folder of the model, which is installed first; or a model that 'hmar models list' shows, by its "
    "fingerprint, its beginning or its name.",
)
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME",
    help="Begin with this collection alone; may come several times. All by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, with each failure.")
def reindex(model: str, collections: Sequence[str], as_json: bool) -> None:
    """Index what the archive holds under another model, beside the one in use.

    Files are read again from where they came. Labels, patients and all that is known of a frame are kept as
    they are. The worker of a running product does it; without one it is done in this process. Searches go on
    with the model in use until 'hmar models use'; new images are indexed under both from now on.

    The same command again goes on with what is missing. Frames whose file is gone, holds another image by
    now or cannot be read are named with the reason. The exit status is 1 if any frame is still missing.

    \b
    Examples:
      hmar reindex --model models/our-archive
      hmar reindex --model 3f2a91 --collection lung --json
    """
    settings = settings_from_environment()
    workers = workers_answering(settings)
    console, queue = Console(stderr=True), None if workers else InlineQueue()
    engine = build_engine(settings, queue=queue)
    click.get_current_context().call_on_close(engine.close)
    chosen = _chosen(engine, model)
    where = f"the product's {workers} workers" if workers else "this process"
    console.print(f"Indexing under {chosen.name} ({chosen.fingerprint[:12]}) by {where}.", highlight=False)
    named = list(collections) or None
    with progress_of(console) as show:
        if queue is None:
            jobs = _by_workers(engine, chosen, named, show, console)
        else:
            jobs = _here(engine, queue, chosen, named, show)
    missing = sum(held.missing for held in engine.models.coverage(chosen.fingerprint).values())
    _report(engine, chosen, jobs, missing, as_json)
    if missing:
        click.get_current_context().exit(1)


def _chosen(engine: Engine, model: str) -> ModelName:
    """Return the model that is meant, installed."""
    folder = shipped_models().get(model, Path(model))
    if folder.is_dir():
        return engine.known_models.install(folder)
    return engine.known_models.named(model)


def _by_workers(
    engine: Engine, model: ModelName, collections: Sequence[str] | None, show: Show, console: Console
) -> list[Job]:
    begun = engine.reindexing.begin(model, collections)
    try:
        while True:
            jobs = [known_job(engine.jobs, job_id) for job_id in begun.jobs]
            _show(jobs, show)
            if all(job.finished for job in jobs):
                return jobs
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        console.print("Stopped watching; the worker goes on. The same command again shows how far it is.")
        sys.exit(INTERRUPTED)


def _here(
    engine: Engine, queue: InlineQueue, model: ModelName, collections: Sequence[str] | None, show: Show
) -> list[Job]:
    origin = reindexing_origin(model.fingerprint)
    return [
        run_job(engine, queue, name, origin, report=lambda job: _show([job], show))
        for name in engine.reindexing.prepare(model, collections)
    ]


def _show(jobs: Sequence[Job], show: Show) -> None:
    total = sum(job.total for job in jobs)
    show(
        "files" if len(jobs) != 1 else f"files of {jobs[0].collection}", sum(job.done for job in jobs), total
    )


def _report(engine: Engine, model: ModelName, jobs: Sequence[Job], missing: int, as_json: bool) -> None:
    failed = [item for job in jobs for item in failed_items(engine.jobs, job)]
    frames = sum(job.frames for job in jobs)
    if as_json:
        told = {
            **model._asdict(),
            "jobs": [job.summary() for job in jobs],
            "frames": frames,
            "missing": missing,
            "failures": [item.to_dict() for item in failed],
        }
        click.echo(json.dumps(told))
        return
    console = Console()
    for job in jobs:
        if job.state is not JobState.DONE:
            console.print(f"The job of {job.collection} ended as {job.state}: {escape(job.reason or '')}")
    for item in failed[:SHOWN_FAILURES]:
        file, reason = printable(item.origin.reference), item.reason or ""
        console.print(f"{escape(file)}: {escape(reason)}", highlight=False)
    if len(failed) > SHOWN_FAILURES:
        console.print(f"and {len(failed) - SHOWN_FAILURES} more files; --json lists all")
    console.print(f"{frames} frames indexed under {model.name}, {missing} missing.", highlight=False)
    if not missing:
        console.print(f"To search with it: hmar models use {model.fingerprint[:12]}", highlight=False)
