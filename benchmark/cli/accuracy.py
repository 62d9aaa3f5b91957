"""``hmar bench accuracy``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from benchmark.cli.options import CACHE, NEEDS_EXTRA, Outputs, code_lengths, names, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ParameterError
from hmar.library.extras import extra_train

if TYPE_CHECKING:
    from benchmark.accuracy.measure import Measured, Request


@click.command()
@click.option("--dataset", "layout", help="Layout: radimagenet, radimagenet-ct, folder, manifest or dicom.")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option(
    "--bits",
    default="64,128",
    show_default=True,
    help="Code lengths by commas, multiples of 8; hmar and its forms have up to 128.",
)
@click.option("--peers", default="all", show_default=True, help="all, or names by commas.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Seeds of every peer that learns.",
)
@click.option(
    "--protocols",
    default="clean",
    show_default=True,
    help="Of clean, acir-compat, unseen, by commas.",
)
@click.option(
    "--hold-out",
    default="",
    help="Classes that unseen holds out, by commas: two or more, and two or more must be left.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=f"HMAR_HOME/{CACHE}",
    help="Folder of the backbone, the features and the trials.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Synthetic pictures, an untrained backbone, 64 bits, one seed, few steps: a check, in a minute.",
)
@outputs
def accuracy(
    layout: str | None,
    root: Path | None,
    bits: str,
    peers: str,
    seeds: int,
    protocols: str,
    hold_out: str,
    cache: Path | None,
    quick: bool,
    outputs: Outputs,
) -> None:
    """Compare codes on the same features and the same split: how much of the query's class is found.

    Every image is described once by a frozen EfficientNet-Lite0, fetched at the first run. Peers learn on
    train, are chosen on val, and search the gallery (train) with the queries (test), once. Features and
    trials are cached by the contents of what they were made of: an interrupted run goes on where it stopped,
    and a run with more peers measures only those. Images that are absent, broken or alone in their class are
    left out, each with a line.

    Needs the extra "train".

    \b
    Examples:
      hmar bench accuracy --quick
      hmar bench accuracy --dataset radimagenet --root /data/radimagenet --json results.jsonl
      hmar bench accuracy --dataset radimagenet --root /data/radimagenet --protocols clean,acir-compat
      hmar bench accuracy --dataset folder --root /data/classes --peers itq,linear,hmar --bits 64
      hmar bench accuracy --dataset manifest --root /data/films --peers itq,linear,hmar --report report
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.accuracy.measure import Request, quick_request

    if not quick and (layout is None or root is None):
        raise ParameterError("--dataset or --root is missing.", "Give both, or --quick.")
    settings = settings_from_environment()
    request = Request(
        dataset=layout or "",
        root=root or Path(),
        bits=code_lengths(bits),
        peers=peers,
        seeds=seeds,
        protocols=names(protocols),
        held_out=names(hold_out),
        cache=cache or settings.home / CACHE,
        threads=settings.encoder_threads,
    )
    with ExitStack() as stack:
        _run(stack.enter_context(quick_request(request)) if quick else request, outputs)


def _run(request: Request, outputs: Outputs) -> None:
    from benchmark.accuracy.measure import measure

    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    with progress_of(console) as progress:
        measured = measure(request, progress, say)
    _show(measured, outputs)


def _show(measured: Measured, outputs: Outputs) -> None:
    from benchmark.accuracy.montages import montages
    from benchmark.cli.tables import print_rows

    print_rows(measured.rows)
    for line in measured.duplicates:
        click.echo(line)
    outputs.write(
        measured.rows,
        f"Accuracy on {measured.dataset}",
        measured.environment,
        montages(measured.examples) if outputs.report is not None else [],
        {"left out": measured.problems, "duplicates": measured.duplicates},
    )
