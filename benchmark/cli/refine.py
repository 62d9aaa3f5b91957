"""``hmar bench refine``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, names, outputs, volumes
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.open_ct import open_ct_folder
from hmar.library.extras import extra_train


@click.command()
@volumes
@click.option(
    "--lesions",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of people with lesions, as `hmar bench lesions` reads it; may be given several times.",
)
@click.option("--methods", default="all", show_default=True, help="all, or names by commas.")
@outputs
def refine(
    root: Path | None, folders: tuple[Path, ...], lesions: tuple[Path, ...], methods: str, outputs: Outputs
) -> None:
    """Measure what judging the first hits of a search does to the others.

    The box of a structure, or of a lesion, looks for slices of other people that show it. The first ten hits
    are judged by what they show, the query is refined by them, and the slices that were not judged are ranked
    anew. The model measured is that of HMAR_MODEL_DIR, else the shipped one. Needs the extra "train".

    \b
    Examples:
      hmar bench refine
      hmar bench refine --data organs --lesions tumours --json refine.jsonl
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.refine.run import run_refine

    chosen = names(methods)
    settings = settings_from_environment()
    threads = settings.encoder_threads
    asked = {"command": "refine", "methods": chosen, "data": len(folders), "lesions": len(lesions)}
    made_in = environment(threads, asked)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_refine(
            open_ct_folder(root), folders, lesions, chosen, progress, threads, settings.model_dir
        )
    print_rows(rows)
    outputs.write(rows, "Searches refined by judged hits", made_in)
