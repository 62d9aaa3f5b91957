"""``hmar index`` to a server: files are sent, or pulled by it from a PACS, and waited for."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from rich.console import Console

from hmar.cli import INTERRUPTED
from hmar.cli.progress import progress_of
from hmar.client.client import Client
from hmar.values.added import Added
from hmar.values.jobs import FAULTY_ITEM_STATES, ItemState, Job
from hmar.values.plain import Json
from hmar.values.pulls import Pull

THERE = "the server"
"""Where files are indexed, as the outcome tells it."""


def send(
    client: Client, path: Path, collection: str, label: str | None, keep_names: bool
) -> tuple[Added, Json]:
    """Send a file or a folder to be indexed; return the outcome, and the same as JSON."""
    begun, total = time.monotonic(), 0

    def note(done: int, known: int) -> None:
        nonlocal total
        total = known
        show("files", done, known)

    try:
        with progress_of(Console(stderr=True)) as show:
            added = client.add(path, collection=collection, label=label, keep_names=keep_names, progress=note)
    except KeyboardInterrupt:
        click.echo(
            "Interrupted; what was sent is indexed. The same command again goes on from here.", err=True
        )
        sys.exit(INTERRUPTED)
    told: Json = {
        "job_id": None,
        "collection": collection,
        "label": label,
        "state": "done",
        "reason": None,
        "where": THERE,
        "files": total + added.skipped,
        "seconds": round(time.monotonic() - begun, 3),
        **added.to_dict(),
    }
    return added, told


def pull(client: Client, wanted: Pull, collection: str, label: str | None) -> tuple[Job, Added]:
    """Let a server index what is wanted of a PACS; return the job at its end, and the outcome."""
    job = client.pull(wanted, collection, label)
    try:
        with progress_of(Console(stderr=True)) as show:
            for progress in client.follow(job.job_id):
                job = progress.job
                if job.total:
                    show("files", job.done, job.total)
    except KeyboardInterrupt:
        click.echo(f"Stopped watching; the server continues job {job.job_id}.", err=True)
        sys.exit(INTERRUPTED)
    faulty = [item for state in FAULTY_ITEM_STATES for item in client.items(job.job_id, state)]
    return job, Added.of_job(job, faulty, Path(), list(client.items(job.job_id, ItemState.SKIPPED)))


def outcome_of(job: Job, added: Added, where: str, seconds: float | None) -> Json:
    """Return how a job ended as JSON; ``seconds`` is None where several are told together."""
    took = {} if seconds is None else {"seconds": round(seconds, 3)}
    return {
        "job_id": job.job_id,
        "collection": job.collection,
        "label": job.label,
        "state": job.state.value,
        "reason": job.reason,
        "where": where,
        "files": job.total,
        **took,
        **added.to_dict(),
    }
