"""``hmar backup``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from hmar import __version__
from hmar.backup.layout import Manifest
from hmar.backup.read import verify_backup
from hmar.backup.write import write_backup
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.wiring import build_engine


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Compare every byte of an existing backup, and write nothing.")
def backup(file: Path, verify: bool) -> None:
    """Write a backup of the archive to FILE, a tar file, while the product runs or not.

    It holds the catalogue, the secrets and the uploads: keep it as safe as the archive. It does not hold the
    images that lie elsewhere, the index, which is built again, and the model. A database of PostgreSQL is not
    in it: use pg_dump besides. The file is written as a whole or not at all, never in place of another, and
    only its owner may read it.

    \b
    Examples:
      hmar backup /backup/hmar-2026-03-01.tar
      hmar backup --verify /backup/hmar-2026-03-01.tar
    """
    with progress_of(Console(stderr=True)) as show:
        if verify:
            _report("intact", verify_backup(file, show))
            return
        engine = build_engine(settings_from_environment())
        click.get_current_context().call_on_close(engine.close)
        _ = engine.secrets  # those of an archive that was never used are made first
        manifest = write_backup(
            file.absolute(),
            engine.settings.home,
            engine.storage.copies,
            engine.uploads,
            (engine.encoder.name, engine.encoder.fingerprint),
            __version__,
            show,
        )
    _report("written", manifest)
    if not manifest.holds_database:
        click.echo("The database is PostgreSQL and is not in it: back it up with pg_dump, now.")


def _report(what: str, manifest: Manifest) -> None:
    uploads = sum(member.name.startswith("uploads/") for member in manifest.members)
    database = "the catalogue" if manifest.holds_database else "no database"
    click.echo(
        f"Backup {what}: {database}, the secrets and {uploads} uploads, {manifest.total_bytes} bytes, model "
        f"{manifest.model} ({manifest.model_fingerprint[:12]}), version {manifest.product}."
    )
