"""``hmar restore``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from hmar.backup.layout import Manifest
from hmar.backup.restore import restore_backup
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.config import Settings
from hmar.errors import ConfigError
from hmar.wiring import knows_schema


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Restore the backup FILE into HMAR_HOME, which must hold no archive.

    Every byte of the backup is compared before anything is put in its place; if the restore is killed, it has
    done nothing, or the next start finishes it. The index is built from the catalogue at the next start.

    \b
    Examples:
      hmar restore /backup/hmar-2026-03-01.tar
      HMAR_HOME=/srv/hmar hmar restore /backup/hmar-2026-03-01.tar
    """
    settings = settings_from_environment()
    _check_database(settings)
    with progress_of(Console(stderr=True)) as show:
        manifest = restore_backup(file, settings.home, knows_schema, show)
    _report(manifest)
    if settings.database_url and manifest.holds_database:
        click.echo("HMAR_DATABASE_URL names another database: leave it unset to use the restored one.")


def _check_database(settings: Settings) -> None:
    if settings.database_url.startswith("sqlite") or settings.in_memory:
        raise ConfigError(
            "A backup is restored to HMAR_HOME/catalogue.db, HMAR_DATABASE_URL names another database.",
            "Leave it unset for the restore, and move the file to where it belongs afterwards.",
        )


def _report(manifest: Manifest) -> None:
    click.echo(
        f"Restored {len(manifest.members)} files, {manifest.total_bytes} bytes, written by version "
        f"{manifest.product} with the model {manifest.model} ({manifest.model_fingerprint[:12]})."
    )
    if not manifest.holds_database:
        click.echo("The database was PostgreSQL and is not in it: restore its own backup, too.")
    click.echo("Start the product with 'hmar serve': it builds the index.")
