"""``hmar export-model``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the volumes; HMAR_HOME/open-ct.")
def export_model(folder: Path, data: Path | None) -> None:
    """Write again what serves the model in FOLDER, from its weights.

    hmar train does it at its end. A model that was trained by an older version lacks files; this makes them:
    the backbone as an ONNX graph, checked against the network bit by bit, the reference that typicality is
    measured from, the golden file and the checksums. The fingerprint stays, and with it the archive. Needs
    the extra "train".

    \b
    Example:
      hmar export-model models/my-model
    """
    try:
        from hmar.training.run import export_model as export
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Exporting needs {error.name}, which is not installed.", "Run: pip install 'hmar-search[train]'"
        ) from error
    volumes = data or settings_from_environment().home / "open-ct"
    with progress_of(Console(stderr=True)) as progress:
        fingerprint = export(folder, volumes, progress)
    click.echo(f"{folder}: model {fingerprint}")
