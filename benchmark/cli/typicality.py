"""``hmar bench typicality``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, outputs
from benchmark.typicality.people import SPLITS, Split
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.library.extras import extra_train

_PRINTED = (
    "name",
    "direction",
    "scope",
    "shown",
    "people",
    "marked",
    "ci95",
    "ci95_unit",
    "clusters",
    "frames",
)
"""The columns that fit into a terminal; JSON and reports have more."""


@click.command()
@click.option(
    "--data",
    "folders",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="Folder of PERSON/NNN.dcm; may be given several times.",
)
@click.option(
    "--photographs",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of PNG or JPEG photographs, besides the three that come with scikit-learn and matplotlib.",
)
@click.option(
    "--each",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Images of each kind of noise and text, and crops of each photograph.",
)
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    default="names",
    show_default=True,
    help="Who sets thresholds and who is reported: half of the people each, by a rule on their names; or "
    "the people of the first folder, and all others.",
)
@outputs
def typicality(
    folders: tuple[Path, ...], photographs: Path | None, each: int, split: Split, outputs: Outputs
) -> None:
    """Measure how often images are marked as unlike the training data: people's, and those of nobody.

    Images of nobody are noise, text and photographs. Marks are made by the product's own functions, and for
    comparison at a threshold of 1 % false alarms and with references fitted to half of the people; both are
    reported on the others. The model measured is that of HMAR_MODEL_DIR, else the shipped one. Needs the
    extra "train".

    \b
    Examples:
      hmar bench typicality --data people
      hmar bench typicality --data people --photographs photographs --json typicality.jsonl
      hmar bench typicality --data one-hospital --data others --split folders
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.typicality.run import run_typicality

    settings = settings_from_environment()
    threads = settings.encoder_threads
    made_in = environment(threads, {"command": "typicality", "each": each, "split": split})
    with progress_of(Console(stderr=True)) as progress:
        rows = run_typicality(folders, photographs, each, split, progress, threads, settings.model_dir)
    print_rows([{key: row[key] for key in ("protocol", *_PRINTED)} for row in rows])
    outputs.write(rows, "What is marked as unlike the training data", made_in)
