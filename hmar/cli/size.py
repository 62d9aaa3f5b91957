"""``hmar size``."""

from __future__ import annotations

import json

import click

from hmar.cli.settings import settings_from_environment
from hmar.cli.size_table import print_estimate
from hmar.errors import ParameterError
from hmar.sizing.estimate import estimate
from hmar.sizing.figures import shipped_figures
from hmar.sizing.wanted import Wanted


@click.command()
@click.option("--frames", type=click.IntRange(1), required=True, help="Frames: all slices of all series.")
@click.option(
    "--windows",
    default="auto",
    show_default=True,
    metavar="NUMBER|auto",
    help="Windows of a frame; auto takes what the shipped model gives of body CT. Of a head it is a quarter.",
)
@click.option(
    "--qps", type=click.FloatRange(0), default=1.0, show_default=True, help="Region searches a second."
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Threads of one search (HMAR_SCAN_THREADS).",
)
@click.option(
    "--cores",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Cores of the machine, for indexing too.",
)
@click.option(
    "--memory",
    type=click.FloatRange(1),
    default=256.0,
    show_default=True,
    help="Memory in GiB of the largest machine that you can have.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    help="Seconds that a search may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def size(
    frames: int,
    windows: str,
    qps: float,
    threads: int,
    cores: int,
    memory: float,
    patience: float,
    as_json: bool,
) -> None:
    """Tell what an archive of a size needs: memory, disk, cores, time to index, to start and to search.

    Figures are computed from what was measured, on the machines named below them. Each has an interval;
    beyond the largest archive that was measured it grows, and the line says so. Fast searches are told beside
    exact ones where they are made, with the share of the nearest frames that they found. Files that are sent
    to the server are kept as well, and come on top of the disk. A CT of the body has 100 to 1,000 frames.

    \b
    Examples:
      hmar size --frames 300000
      hmar size --frames 2000000 --qps 5 --threads 8 --cores 16 --memory 128
      hmar size --frames 50000 --windows 220 --json
    """
    figures = shipped_figures()
    fast_above = settings_from_environment().fast_above
    wanted = Wanted(frames, _windows(windows), qps, threads, cores, memory, patience, fast_above)
    found = estimate(wanted, figures)
    if as_json:
        sources = [source.to_dict() for source in figures.sources]
        click.echo(json.dumps({**found.to_dict(), "measured": sources}))
        return
    print_estimate(found, figures)


def _windows(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal():
        raise ParameterError(f"--windows is {text!r}.", 'Give a number from 1, or "auto".')
    return int(text)
