"""``hmar secrets``."""

from __future__ import annotations

from contextlib import closing

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError
from hmar.rotation import rotate as rotate_secrets
from hmar.webhooks.signing import secret_of
from hmar.wiring import build_engine


@click.group("secrets")
def secrets() -> None:
    """Rotate the secret that patients are told apart by.

    \b
    Example:
      hmar secrets rotate
    """


@secrets.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(yes: bool) -> None:
    """Give the archive another secret, and each patient another key; ids of patients are not needed.

    Refused while the product runs, or another command works with the archive; the database must be in use by
    no other machine. If it is killed, it has done nothing, or the next start finishes it. The same patients
    are told apart afterwards. The index is built again at the next start, and handles of patients are others.
    Secrets of webhooks are others, too: they are printed, and not shown again. Older backups hold the old
    secret with the old keys.

    \b
    Example:
      hmar secrets rotate
    """
    settings = settings_from_environment()
    if settings.in_memory:
        raise ConfigError(
            "HMAR_DATABASE_URL is memory:, whose secret is drawn for each process.",
            "Leave it unset, or name a database.",
        )
    with closing(build_engine(settings)) as engine:
        if not yes:
            click.confirm("Rotate the secret of patients? Receivers of webhooks need new ones.", abort=True)
        with progress_of(Console(stderr=True)) as show:
            later, frames = rotate_secrets(
                engine.settings.home,
                engine.settings.index_root,
                engine.storage.integrity,
                engine.audit_log_under,
                lambda done, total: show("rotating", done, total),
            )
        click.echo(f"The secret was rotated: {frames} frames have another key of their patient.")
        for webhook in engine.storage.webhooks.listed():
            secret = secret_of(later.webhooks, webhook.webhook_id)
            click.echo(f"New secret of the webhook {webhook.name}: {secret}")
