"""``hmar demo``."""

from __future__ import annotations

import json
import statistics

import click
from rich.console import Console
from rich.table import Table

from benchmark.nodule.demo import DemoResult, run_demo
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.sample.study import fetch_sample_data


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(as_json: bool) -> None:
    """Find a real nodule again, and measure how well.

    Fetches the sample study, starts the product on a data directory of its own, indexes both series through
    its worker, and queries with the nodule's box on each of its slices in turn, that slice excluded. The same
    queries are put to codes of 32x32 thumbnails of equal length, as a baseline.

    \b
    Examples:
      hmar demo
      hmar demo --json
    """
    settings = settings_from_environment()
    console = Console(stderr=True)
    sample = fetch_sample_data(settings.home / "sample-data", lambda line: console.print(line, style="dim"))
    with progress_of(console) as progress:
        result = run_demo(settings, sample, progress)
    if as_json:
        click.echo(json.dumps(result.figures()))
    else:
        _print(result, Console())


def _print(result: DemoResult, console: Console) -> None:
    table = Table("slice z (mm)", "box x,y,w,h", "hits", "thumbnail hits", "centre error (mm)", "ms")
    for ours, peer in zip(result.ours, result.thumbnails, strict=True):
        error = f"{statistics.median(ours.centre_errors_mm):.1f}" if ours.centre_errors_mm else "-"
        box = ",".join(f"{value:.0f}" for value in ours.region)
        table.add_row(f"{ours.z:g}", box, str(ours.hits), str(peer.hits), error, f"{ours.ms:.0f}")
    console.print(table)
    for name, value in result.figures().items():
        console.print(f"{name:>30}  {value}")
