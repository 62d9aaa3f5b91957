"""``hmar bench page``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.library.extras import extra_train


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of DICOM files that is searched, such as the sample study's CT; the volume, if not given.",
)
@click.option(
    "--slices", type=click.IntRange(2), default=600, show_default=True, help="Slices of the volume, 512x512."
)
@click.option(
    "--searches", type=click.IntRange(1), default=40, show_default=True, help="Regions searched for."
)
@click.option("--gpu", is_flag=True, help="Let the browser use the machine's GPU.")
@outputs
def page(data: Path | None, slices: int, searches: int, gpu: bool, outputs: Outputs) -> None:
    """Measure the reading page in a browser: scrolling, windowing, searching, and its memory.

    The product runs on a temporary archive on this machine, and Chromium without a window asks it. A volume
    of phantom slices is scrolled through and back, at 30 steps a second and by a step at each redraw, and its
    display window is changed at each redraw. Then regions are searched for, each of another slice, and the
    first hit is called relevant. Needs the extra "train", Selenium, Chromium and its driver.

    \b
    Examples:
      hmar bench page
      hmar bench page --data sample-data/lidc-idri-0001 --json page.jsonl
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.page import Sizes, run_page
        from benchmark.provenance.results import environment

    sizes = Sizes(slices=slices, changes=slices, searches=searches)
    settings = settings_from_environment()
    config = {
        "command": "page",
        "data": data and data.name,
        "slices": slices,
        "searches": searches,
        "gpu": gpu,
    }
    made_in = environment(settings.encoder_threads, config)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_page(settings, data, sizes, gpu, progress)
    print_rows(rows)
    outputs.write(rows, "Page", made_in)
