"""``hmar bench qrels``."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, code_lengths, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.library.extras import extra_train
from hmar.values.codes import Bits
from hmar.values.hits import Mode

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--bits", default="64,128", show_default=True, help="Code lengths by commas: 64, 128 or both.")
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    show_default="local for regions, auto for whole images",
    help="What is compared.",
)
@click.argument("topics", type=_FILE)
@click.argument("qrels", type=_FILE)
@outputs
def qrels(bits: str, mode: str | None, topics: Path, qrels: Path, outputs: Outputs) -> None:
    """Measure how well the archive finds what its users judged relevant.

    TOPICS and QRELS are what `hmar feedback export` writes. Every topic is searched for in the archive of
    HMAR_HOME; judged frames alone count. Topics that are files cannot be asked, and are left out. Needs the
    extra "train".

    \b
    Examples:
      hmar feedback export --topics topics.jsonl qrels.txt
      hmar bench qrels topics.jsonl qrels.txt
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.qrels.files import read_qrels, read_topics
        from benchmark.qrels.run import run_qrels
    from hmar.wiring import build_engine

    lengths = cast("list[Bits]", code_lengths(bits))
    settings = settings_from_environment()
    made_in = environment(
        settings.encoder_threads, {"command": "qrels", "bits": lengths, "mode": mode or "by topic"}
    )
    engine = build_engine(settings)
    try:
        with progress_of(Console(stderr=True)) as progress:
            rows = run_qrels(
                engine, read_topics(topics), read_qrels(qrels), cast("Mode | None", mode), lengths, progress
            )
    finally:
        engine.close()
    print_rows(rows)
    outputs.write(rows, "What users judged", made_in)
