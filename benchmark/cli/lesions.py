"""``hmar bench lesions``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from benchmark.cli.options import CACHE, NEEDS_EXTRA, Outputs, code_lengths, names, outputs
from benchmark.lesions.people import PEOPLE, People
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.library.extras import extra_train

if TYPE_CHECKING:
    from hmar.model.backbones.base import Backbone


@click.command()
@click.option(
    "--data",
    "folders",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="Folder of PERSON/NNN.dcm with mask_NNN.png, or with boxes.csv; may be given several times.",
)
@click.option(
    "--people",
    type=click.Choice(PEOPLE),
    default="all",
    show_default=True,
    help="Half of the people that is searched: choose, for choices; report, for figures that are reported; "
    "or both, each searched in its own half. A person's half follows from the folder's name.",
)
@click.option("--peers", default="all", show_default=True, help="all, or names by commas.")
@click.option("--bits", default="64,128", show_default=True, help="Code lengths by commas: 64, 128 or both.")
@outputs
def lesions(folders: tuple[Path, ...], people: People, peers: str, bits: str, outputs: Outputs) -> None:
    """Compare ways to find a lesion again: on its other slices, and in other people.

    A query is the box of the lesion on one slice; slices are ranked as the product ranks them, one hit a
    slice. A hit is right if its box shows the lesion. The model measured is that of HMAR_MODEL_DIR, else the
    shipped one; the backbone's published weights are fetched where they are missing. Needs the extra "train".

    \b
    Examples:
      hmar bench lesions --data tumours
      hmar bench lesions --data tumours --people choose --peers thumbnail,cells-itq,hmar-model
      hmar bench lesions --data tumours --data more --json lesions.jsonl --report report
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.lesions.run import run_lesions
        from benchmark.provenance.results import environment
        from hmar.training.data.open_ct import fetch_backbone, published_backbone

    lengths, chosen = code_lengths(bits), names(peers)
    settings = settings_from_environment()
    threads, kept = settings.encoder_threads, settings.home / CACHE
    made_in = environment(threads, {"command": "lesions", "bits": lengths, "peers": chosen, "people": people})
    with progress_of(Console(stderr=True)) as progress:

        def published() -> Backbone:
            fetch_backbone(kept, lambda line: progress(line, 0, 0))
            return published_backbone(kept)

        rows = run_lesions(folders, chosen, lengths, people, progress, published, threads, settings.model_dir)
    print_rows(rows)
    outputs.write(rows, "Lesions, of the same person and of others", made_in)
