"""``hmar bench trust``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark.cli.options import names
from benchmark.provenance.results import append_results, environment
from benchmark.trust.page import write_page
from benchmark.trust.parts import PARTS, chosen_parts
from benchmark.trust.running import Record, run_parts, run_side_by_side

SHOWN_FAILURES = 30


@click.command()
@click.option("--short", is_flag=True, help="Each kind of trial a few times, in minutes.")
@click.option("--only", default="all", show_default=True, help=f"all, or of {', '.join(PARTS)}, by commas.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of every random choice.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Parts at a time, each on its share of the processor cores; in the full form, those that measure "
    "times run first and alone.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line for each part to this file of JSON lines, with commit, machine and versions.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page from the newest line of each part in the file of --json.",
)
def trust(short: bool, only: str, seed: int, jobs: int, json_file: Path | None, page: Path | None) -> None:
    """Kill, damage, starve and attack the product, and compare what it holds and answers with an oracle.

    Works on archives of its own, and touches no data directory. The exit status is 1 if anything was lost,
    believed although it was wrong, or not reported. Kills at marked points need strace; the full disk needs
    root, for a small file system of its own.

    \b
    Examples:
      hmar bench trust --short --jobs 2
      hmar bench trust --only kills,faults --seed 7
      hmar bench trust --json trust.jsonl --page trust.md
    """
    if page is not None and json_file is None:
        raise click.UsageError("--page needs --json: the page is written from that file.")
    parts = chosen_parts(list(PARTS) if only == "all" else names(only))
    console = Console(stderr=True)
    made_in = environment(1, {"command": "trust", "short": short, "seed": seed, "only": only, "jobs": jobs})
    failed: list[str] = []
    records = (
        run_side_by_side(parts, short, seed, jobs)
        if jobs > 1
        else run_parts(parts, short, seed, lambda line: console.print(line, markup=False))
    )
    for record in records:
        _print(record, Console())
        failed += [f"{record['part']}: {text}" for text in record["failures"]]
        if json_file is not None:
            append_results(json_file, [record], made_in)
    if page is not None and json_file is not None:
        write_page(json_file, page)
    _print_failures(failed, Console())
    click.get_current_context().exit(1 if failed else 0)


def _print(record: Record, console: Console) -> None:
    figures = ", ".join(f"{name} {value}" for name, value in record["summary"].items())
    console.print(f"[bold]{record['title']}[/bold] in {record['seconds']} s: {escape(figures)}")
    if rows := record["rows"]:
        table = Table(*rows[0], box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(escape(str(value)) for value in row.values()))
        console.print(table)


def _print_failures(failed: list[str], console: Console) -> None:
    """Print what went wrong in all parts, last: that is what a reader of a long output sees."""
    for failure in failed[:SHOWN_FAILURES]:
        console.print(f"[red]failed[/red] {escape(failure)}")
    if (more := len(failed) - SHOWN_FAILURES) > 0:
        console.print(f"and {more} more failures")
    console.print(f"{len(failed) or 'No'} failures")
