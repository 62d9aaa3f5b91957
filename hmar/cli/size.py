"""``hmar size``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from hmar.cli.tables import print_table
from hmar.errors import ParameterError
from hmar.sizing.estimate import Estimate, Wanted, estimate
from hmar.sizing.figures import Figures, shipped_figures
from hmar.sizing.fit import Interval

_SHOWN = {
    "windows": ("windows of a frame", "", 0),
    "database_gib": ("database", "GiB", 1),
    "snapshot_gib": ("snapshot of the index", "GiB", 1),
    "disk_gib": ("disk: database and two snapshots", "GiB", 1),
    "memory_gib": ("memory", "GiB", 1),
    "index_h": ("indexing all of it", "h", 1),
    "start_s": ("opening the snapshot at a start", "s", 2),
    "rebuild_s": ("building the index without one", "s", 0),
    "search_ms": ("region search, median", "ms", 0),
    "cores": ("cores that searches keep busy", "", 1),
}
"""What each figure is called, its unit, and its decimals."""


@click.command()
@click.option("--frames", type=click.IntRange(1), required=True, help="Frames: all slices of all series.")
@click.option(
    "--windows",
    default="auto",
    show_default=True,
    metavar="NUMBER|auto",
    help="Windows of a frame; auto takes what the shipped model gives of body CT. Of a head it is a third.",
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
    beyond the largest archive that was measured it grows, and the line says so. Files that are sent to the
    server are kept as well, and come on top of the disk. A CT of the body has 100 to 1,000 frames.

    \b
    Examples:
      hmar size --frames 300000
      hmar size --frames 2000000 --qps 5 --threads 8 --cores 16 --memory 128
      hmar size --frames 50000 --windows 220 --json
    """
    figures = shipped_figures()
    wanted = Wanted(frames, _windows(windows), qps, threads, cores, memory, patience)
    found = estimate(wanted, figures)
    if as_json:
        sources = [source.to_dict() for source in figures.sources]
        click.echo(json.dumps({**found.to_dict(), "measured": sources}))
        return
    print_table(("", "figure", "from", "to", ""), _rows(found))
    for line in found.advice or ("One machine with SQLite holds this.",):
        click.echo(f"\n{line}")
    click.echo(f"\nSearches were timed on archives of {_archives(figures)} a frame.")
    click.echo(f"Measured on: {_machines(figures)}.")


def _windows(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal():
        raise ParameterError(f"--windows is {text!r}.", 'Give a number from 1, or "auto".')
    return int(text)


def _rows(found: Estimate) -> list[tuple[str, ...]]:
    return [
        (label, *_numbers(value, unit, decimals), _beyond(value))
        for (label, unit, decimals), value in ((_SHOWN[name], value) for name, value in found.intervals())
    ]


def _numbers(value: Interval, unit: str, decimals: int) -> tuple[str, str, str]:
    told = f"{value.value:,.{decimals}f} {unit}".rstrip()
    return told, f"{value.low:,.{decimals}f}", f"{value.high:,.{decimals}f}"


def _beyond(value: Interval) -> str:
    return f"extrapolated: {value.beyond:.1f} times what was measured" if value.extrapolated else ""


def _archives(figures: Figures) -> str:
    """Say how large the archives were, and how many windows a frame had."""
    points = [scan.p50_ms for scan in figures.scans]
    windows = _span([point.windows / 1e6 for point in points])
    return f"{windows} million windows, {_span([point.windows / point.frames for point in points])}"


def _span(values: Sequence[float]) -> str:
    least, most = (f"{value:,.0f}" for value in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"


def _machines(figures: Figures) -> str:
    named = {
        f"{one.processor} ({one.time[:10]}, {(one.commit or 'no commit')[:8]})" for one in figures.sources
    }
    return "; ".join(sorted(named))
