"""``hmar bench series``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, code_lengths, names, outputs, volumes
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.open_ct import open_ct_folder
from hmar.library.extras import extra_train


@click.command()
@volumes
@click.option("--peers", default="all", show_default=True, help="all, or names by commas.")
@click.option("--bits", default="64,128", show_default=True, help="Code lengths by commas: 64, 128 or both.")
@outputs
def series(root: Path | None, folders: tuple[Path, ...], peers: str, bits: str, outputs: Outputs) -> None:
    """Compare ways to find a series that shows what another one shows.

    CT of several people, with organ masks, is cut into parts of 50 mm, each of which stands for a series. A
    part looks for parts of other people, as a whole or by the boxes of one structure on its slices; a part
    that is found is right if it shows the structure. Distances of many frames become one by late interaction
    (the product's default), the nearest pair, votes of slices, mean codes or attention. The model measured is
    that of HMAR_MODEL_DIR, else the shipped one. Needs the extra "train".

    \b
    Examples:
      hmar bench series
      hmar bench series --data organs --peers late-interaction,mean,thumbnail --json series.jsonl
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.series.run import run_series

    lengths, chosen = code_lengths(bits), names(peers)
    settings = settings_from_environment()
    asked = {"command": "series", "bits": lengths, "peers": chosen, "data": len(folders)}
    made_in = environment(settings.encoder_threads, asked)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_series(
            open_ct_folder(root),
            folders,
            chosen,
            lengths,
            progress,
            settings.encoder_threads,
            settings.model_dir,
        )
    print_rows(rows)
    outputs.write(rows, "Series that show what another one shows", made_in)
