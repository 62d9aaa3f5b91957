"""``hmar export-model``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

import click
from rich.console import Console

from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.open_ct import OPEN_CT_FOLDER, open_ct_folder
from hmar.cli.training.typicality import print_fitted
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.library.extras import extra_train
from hmar.secrets import KEY_BYTES

if TYPE_CHECKING:
    from hmar.cli.training.sources import Progress
    from hmar.training.export.again import Exported
    from hmar.training.typicality.places import Place


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--typicality",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of images that typicality is to be measured from; may be given several times.",
)
@click.option(
    "--with-open-ct",
    is_flag=True,
    help="Measure typicality from the open CT volumes, too, or from them alone.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=f"HMAR_HOME/{OPEN_CT_FOLDER}",
    help="Folder of the volumes of --with-open-ct, fetched into it where they are missing.",
)
@click.option(
    "--fast",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the fast form of the model instead, into this new folder; its name becomes the model's name.",
)
def export_model(
    folder: Path, folders: tuple[Path, ...], with_open_ct: bool, data: Path | None, fast: Path | None
) -> None:
    """Write again the files that serve the model in FOLDER, from its weights.

    hmar train does it at its end. A model that was trained by an older version lacks some of these files: the
    backbone as an ONNX graph, checked against the network bit by bit; the golden file; the checksums. What
    typicality is measured from stays, unless --typicality or --with-open-ct says from what it is to be
    measured. The fingerprint stays, so that an archive that was indexed with the model stays valid. Needs the
    extra "train".

    Folders of --typicality hold DICOM, PNG and JPEG images at any depth, as for hmar train --data, of 35
    people or more where there are as many, and of all scanners. Frames in Hounsfield units are looked at as
    pictures, too. At most 1,000 frames of a modality are looked at, of nobody more than an equal part of
    them. A kind of frame of which there is none is not told afterwards.

    With --fast, FOLDER stays as it is, and the new folder has the same weights and three fifths of the
    windows: encoding takes nine tenths of the time, an archive's codes take three fifths of the room, and a
    little less is found, as its card says. It is another model with another fingerprint: point
    HMAR_MODEL_DIR at it and index the images again.

    \b
    Examples:
      hmar export-model models/my-model
      hmar export-model models/my-model --typicality /data/ct --typicality /data/mr
      hmar export-model models/my-model --fast models/my-model-fast
    """
    with extra_train("Exporting"):
        from hmar.training.export.again import export_model as export
        from hmar.training.export.fast import check_fast, export_fast
        from hmar.training.typicality.places import chosen

    if data is not None and not with_open_ct:
        raise click.UsageError("--data is given without --with-open-ct, which alone reads that folder.")
    if fast is not None:
        check_fast(folder, fast)
    with ExitStack() as opened:
        progress = opened.enter_context(progress_of(Console(stderr=True)))
        places: list[Place] = []
        if with_open_ct:
            places += _open_ct(open_ct_folder(data), progress)
        if folders:
            places += _of_folders(folders, opened, progress)
        measured = chosen(places) if folders or with_open_ct else None
        if fast is None:
            done = export(folder, measured, progress)
        else:
            done = export_fast(folder, fast, measured, progress)
    _print(done)
    click.echo(f"{fast or folder}: model {done.fingerprint}")


def _open_ct(folder: Path, progress: Progress) -> list[Place]:
    from hmar.training.data.open_ct import fetch_open_ct, load_open_ct
    from hmar.training.typicality.places import places_of_volumes

    fetch_open_ct(folder, lambda line: progress(line, 0, 0))
    return places_of_volumes(load_open_ct(folder))


def _of_folders(folders: tuple[Path, ...], opened: ExitStack, progress: Progress) -> list[Place]:
    from hmar.training.data.folders.scan import Limits
    from hmar.training.typicality.folders import places_of_folders

    environment, secret = settings_from_environment(), token_bytes(KEY_BYTES)
    places, left_out = places_of_folders(
        folders,
        opened.enter_context(ContainedDecoder(DecodeLimits.of(environment), secret)),
        PatientHasher(secret),
        Limits(environment.max_file_bytes, environment.max_pixels),
        lambda done, total: progress("looking at files", done, total),
    )
    for line in left_out:
        progress(line, 0, 0)
    return places


def _print(done: Exported) -> None:
    """Say what typicality is measured from."""
    if done.fitted is None:
        said = "is measured as before" if done.tells else "is not told: give --typicality DIR"
        click.echo(f"Typicality {said}.")
    else:
        print_fitted(done.fitted)
