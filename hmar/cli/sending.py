"""``hmar index`` to a server: files are sent, and waited for."""

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
from hmar.values.plain import Json


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
        "where": "the server",
        "files": total + added.skipped,
        "seconds": round(time.monotonic() - begun, 3),
        **added.to_dict(),
    }
    return added, told
