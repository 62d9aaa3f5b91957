"""``hmar bench size``."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, names, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ParameterError
from hmar.library.extras import extra_train


@click.command()
@click.option(
    "--frames",
    default="10000,50000",
    show_default=True,
    help="Frames of the catalogues that are written, by commas; 0 writes none.",
)
@click.option("--windows", type=click.IntRange(1), default=650, show_default=True, help="Windows of a frame.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of DICOM files of one frame that are indexed; phantoms without it.",
)
@click.option("--no-run", is_flag=True, help="Measure nothing: only gather what --rows hold.")
@click.option(
    "--rows",
    "row_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows of other runs that --figures takes as well; may be given several times.",
)
@click.option(
    "--figures",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures that 'hmar size' computes with to this file.",
)
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Draw the curves of docs/scaling.md into this folder, from the figures.",
)
@click.option(
    "--page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write the tables of docs/scaling.md into this page, between its marks, from the figures.",
)
@outputs
def size(
    frames: str,
    windows: int,
    data: Path | None,
    no_run: bool,
    row_files: tuple[Path, ...],
    figures: Path | None,
    plots: Path | None,
    page: Path | None,
    outputs: Outputs,
) -> None:
    """Measure what large catalogues and indexing take, and refresh the figures of 'hmar size'.

    Catalogues are written through the product's own code, with random codes. Times are of one call each, by
    the clock and of the processor. Searches are measured by 'hmar bench speed --part scan', web server and
    worker by its parts seen and pacs: give their rows by --rows. Of rows that measured the same the
    newest count; indexing counts of --data alone.

    \b
    Examples:
      hmar bench size --frames 10000,50000 --data people/volumes --json size.jsonl
      hmar bench size --no-run --rows size.jsonl --rows speed.jsonl --figures hmar/sizing/figures.json
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.provenance.results import environment
        from benchmark.sizing.gather import gathered, read_rows
        from benchmark.sizing.run import run_size
        from benchmark.sizing.table import filled, tables

    rows: list[dict[str, object]] = []
    if not no_run:
        settings = settings_from_environment()
        config = {"command": "size", "frames": _sizes(frames), "windows": windows, "data": data is not None}
        made_in = environment(settings.encoder_threads, config)
        with progress_of(Console(stderr=True)) as progress:
            rows = run_size(settings, _sizes(frames), windows, data, progress)
        for row in rows:
            told = {key: value for key, value in row.items() if key != "protocol"}
            click.echo("  ".join(f"{key} {value}" for key, value in told.items()))
        outputs.write(rows, "Size", made_in)
        rows = [{**row, "environment": made_in} for row in rows]
    if not (figures or plots or page):
        return
    found = gathered([*rows, *read_rows(row_files)])
    if figures is not None:
        figures.write_text(json.dumps(found.to_dict(), indent=1) + "\n", "utf-8")
        click.echo(f"{figures}: written", err=True)
    if plots is not None:
        with extra_train(NEEDS_EXTRA):
            from benchmark.sizing.plots import draw_curves

        for path in draw_curves(found, plots):
            click.echo(f"{path}: written", err=True)
    if page is not None:
        written = tables(found, settings_from_environment().fast_above)
        page.write_text(filled(page.read_text("utf-8"), written), "utf-8")
        click.echo(f"{page}: written", err=True)


def _sizes(text: str) -> list[int]:
    found = names(text)
    if not found or not all(one.isdecimal() for one in found):
        raise ParameterError(f"--frames is {text!r}.", "Give numbers by commas, such as 10000,50000, or 0.")
    return [int(one) for one in found if int(one)]
