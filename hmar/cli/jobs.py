"""``hmar jobs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from rich.console import Console

from hmar.adapters.memory import InlineQueue
from hmar.cli import INTERRUPTED
from hmar.cli.places import client
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.tables import print_table
from hmar.client.client import Client
from hmar.library.jobs import ArchiveJobs
from hmar.values.jobs import FAULTY_ITEM_STATES, Item, Job, JobState
from hmar.wiring import build_engine

_COLUMNS = ("job", "state", "collection", "created", "files", "done", "failed", "frames")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON, as the API does.")


@click.group()
def jobs() -> None:
    """List, show, follow, cancel and retry index jobs.

    \b
    Examples:
      hmar jobs list
      hmar jobs show 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
      hmar --server https://pacs.example/hmar jobs follow 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
    """


def _jobs() -> ArchiveJobs | Client:
    asked = client()
    if asked is not None:
        return asked
    settings = settings_from_environment()
    # Without a running product nobody takes messages; workers find the rows when they start.
    engine = build_engine(settings, queue=None if settings.redis_url else InlineQueue())
    click.get_current_context().call_on_close(engine.close)
    return ArchiveJobs(engine)


@jobs.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs like this.")
@click.option("--collection", metavar="NAME", help="Only jobs of this collection.")
@_JSON
def list_jobs(state: str | None, collection: str | None, as_json: bool) -> None:
    """List the index jobs, newest first. Times are UTC.

    \b
    Examples:
      hmar jobs list
      hmar jobs list --state running --json
    """
    found = list(_jobs().jobs(None if state is None else JobState(state), collection))
    if as_json:
        click.echo(json.dumps({"jobs": [job.summary() for job in found]}))
    else:
        print_table(_COLUMNS, map(_row, found))


@jobs.command()
@click.argument("job_id")
@_JSON
def show(job_id: str, as_json: bool) -> None:
    """Show how far the job JOB_ID is, and which of its files failed, as a whole or in part.

    \b
    Example:
      hmar jobs show 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
    """
    asked = _jobs()
    _tell(asked.job(job_id), list(_faulty(asked, job_id)), as_json)


@jobs.command()
@click.argument("job_id")
@_JSON
def cancel(job_id: str, as_json: bool) -> None:
    """End the job JOB_ID before its time: files that wait are not tried, what is indexed stays.

    \b
    Example:
      hmar jobs cancel 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
    """
    _tell(_jobs().cancel(job_id), [], as_json)


@jobs.command()
@click.argument("job_id")
@_JSON
def retry(job_id: str, as_json: bool) -> None:
    """Index again what failed of the job JOB_ID over a folder. It goes on when a worker runs.

    Files that were sent are not kept when they fail: send those again with 'hmar index'.

    \b
    Example:
      hmar jobs retry 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
    """
    _tell(_jobs().retry(job_id), [], as_json)


@jobs.command()
@click.argument("job_id")
@click.option("--json", "as_json", is_flag=True, help="Print each step as a line of JSON.")
def follow(job_id: str, as_json: bool) -> None:
    """Watch the job JOB_ID until it has ended. Ctrl-C ends the watching alone.

    The exit status is 1 if the job failed or was cancelled.

    \b
    Examples:
      hmar jobs follow 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c
      hmar jobs follow 0f9a5f3c2d6b4a1e8c7d9b0a1f2e3d4c --json
    """
    job = None
    try:
        with progress_of(Console(stderr=True)) as shown:
            for progress in _jobs().follow(job_id):
                job = progress.job
                if as_json:
                    click.echo(json.dumps(progress.to_dict()))
                else:
                    shown(f"files, {job.frames} frames", job.done, job.total)
    except KeyboardInterrupt:
        click.echo("Stopped watching; the job goes on.", err=True)
        sys.exit(INTERRUPTED)
    if job is not None and not as_json:
        print_table(_COLUMNS, [_row(job)])
    if job is None or job.state is not JobState.DONE:
        click.get_current_context().exit(1)


def _faulty(asked: ArchiveJobs | Client, job_id: str) -> Iterator[Item]:
    for state in sorted(FAULTY_ITEM_STATES):
        yield from asked.items(job_id, state)


def _tell(job: Job, faulty: list[Item], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(job.to_dict(faulty)))
        return
    print_table(_COLUMNS, [_row(job)])
    if job.reason is not None:
        click.echo(job.reason)
    if faulty:
        rows = [item.to_dict() for item in faulty]
        print_table(
            ("file", "state", "reason"),
            [(row["name"] or row["reference"], row["state"], row["reason"]) for row in rows],
        )


def _row(job: Job) -> tuple[object, ...]:
    created = f"{datetime.fromtimestamp(job.created_at, UTC):%Y-%m-%d %H:%M}"
    failed = sum(job.counts.get(state, 0) for state in FAULTY_ITEM_STATES)
    return (job.job_id, job.state, job.collection, created, job.total, job.done, failed, job.frames)
