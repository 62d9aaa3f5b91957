"""``hmar export-model``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.training.open_ct import OPEN_CT_FOLDER, open_ct_folder
from hmar.library.extras import extra_train


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=f"HMAR_HOME/{OPEN_CT_FOLDER}",
    help="Folder of the open CT volumes, fetched into it where they are missing.",
)
@click.option(
    "--fast",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the fast form of the model instead, into this new folder; its name becomes the model's name.",
)
def export_model(folder: Path, data: Path | None, fast: Path | None) -> None:
    """Write again the files that serve the model in FOLDER, from its weights.

    hmar train does it at its end. A model that was trained by an older version lacks some of these files: the
    backbone as an ONNX graph, checked against the network bit by bit; the reference that typicality is
    measured from, made with the open CT volumes; the golden file; the checksums. The fingerprint stays, so
    that an archive that was indexed with the model stays valid. Needs the extra "train".

    With --fast, FOLDER stays as it is, and the new folder has the same weights on pixels of 1.0 mm in place
    of 0.75: encoding takes three fifths of the time and finds a little less, as its card says. It is another
    model with another fingerprint: point HMAR_MODEL_DIR at it and index the images again.

    \b
    Examples:
      hmar export-model models/my-model
      hmar export-model models/my-model --fast models/my-model-fast
    """
    with extra_train("Exporting"):
        from hmar.training.export.fast import export_fast
        from hmar.training.run import export_model as export
    with progress_of(Console(stderr=True)) as progress:
        if fast is None:
            fingerprint = export(folder, open_ct_folder(data), progress)
        else:
            fingerprint = export_fast(folder, fast, open_ct_folder(data), progress)
    click.echo(f"{fast or folder}: model {fingerprint}")
