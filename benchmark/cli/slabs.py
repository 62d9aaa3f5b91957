"""``hmar bench slabs``."""

from __future__ import annotations

import math
from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, names, outputs, volumes
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.open_ct import open_ct_folder
from hmar.errors import ParameterError
from hmar.library.extras import extra_train
from hmar.values.slabs import checked_slab_mm


@click.command()
@volumes
@click.option("--slab-mm", "slabs_mm", default="2,3,5", show_default=True, help="Thicknesses by commas.")
@click.option(
    "--step-mm",
    "steps_mm",
    default="0,1",
    show_default=True,
    help="Distances between slices by commas, to which scans are resampled; 0 leaves them as they are.",
)
@outputs
def slabs(
    root: Path | None, folders: tuple[Path, ...], slabs_mm: str, steps_mm: str, outputs: Outputs
) -> None:
    """Measure what a search loses and saves where one slice stands for a slab of thin ones.

    CT of several people with slices of at most 3 mm is indexed as it is, and resampled to 1 mm. Boxes and
    whole slices of each person are looked for in the others: among all slices, and with slabs, whose nearest
    slices are read from the database or not. The model measured is that of HMAR_MODEL_DIR, else the shipped
    one. Needs the extra "train".

    \b
    Examples:
      hmar bench slabs --data organs
      hmar bench slabs --slab-mm 3 --json slabs.jsonl
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.slabs.run import run_slabs

    thicknesses, steps = [checked_slab_mm(each) for each in _lengths(slabs_mm)], _lengths(steps_mm)
    settings = settings_from_environment()
    asked = {"command": "slabs", "slabs_mm": thicknesses, "steps_mm": steps, "data": len(folders)}
    made_in = environment(settings.encoder_threads, asked)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_slabs(
            open_ct_folder(root),
            folders,
            thicknesses,
            steps,
            progress,
            settings.encoder_threads,
            settings.model_dir,
        )
    print_rows(rows)
    outputs.write(rows, "Slabs of thin slices", made_in)


def _lengths(text: str) -> list[float]:
    try:
        lengths = [float(name) for name in names(text)]
    except ValueError:
        lengths = []
    if not lengths or not all(0 <= length < math.inf for length in lengths):
        raise ParameterError(f"The lengths are {text!r}.", "Give them in mm with commas between, as 2,3,5.")
    return lengths
