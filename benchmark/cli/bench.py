"""``hmar bench``: the group, which imports a benchmark when it is run."""

from __future__ import annotations

import click

from hmar.cli.commands import Command
from hmar.cli.lazy import LazyGroup

BENCHMARKS = {
    "accuracy": Command(
        "benchmark.cli.accuracy", "accuracy", "How much of the query's class is found, peer by peer."
    ),
    "region": Command(
        "benchmark.cli.region", "region", "How well a region is found again in another patient."
    ),
    "lesions": Command(
        "benchmark.cli.lesions", "lesions", "How well a lesion is found on other slices and in other people."
    ),
    "series": Command(
        "benchmark.cli.series", "series", "How well a series that shows the same is found in other people."
    ),
    "slabs": Command("benchmark.cli.slabs", "slabs", "What slabs of thin slices lose and save."),
    "refine": Command(
        "benchmark.cli.refine", "refine", "How much better a search is once its first hits are judged."
    ),
    "qrels": Command(
        "benchmark.cli.qrels", "qrels", "How well the archive finds what its users judged relevant."
    ),
    "typicality": Command(
        "benchmark.cli.typicality", "typicality", "How well images unlike the training data are recognised."
    ),
    "speed": Command("benchmark.cli.speed", "speed", "How fast images are encoded and found."),
    "size": Command("benchmark.cli.size", "size", "What large catalogues and indexing take."),
    "gpu": Command("benchmark.cli.gpu", "gpu", "How fast a GPU encodes and scans."),
    "page": Command("benchmark.cli.page", "page", "How fast the page scrolls, searches and is drawn."),
    "trust": Command("benchmark.cli.trust", "trust", "What kills, faults, attacks and load do to it."),
}


@click.group(cls=LazyGroup, commands_of=lambda: BENCHMARKS)
def bench() -> None:
    """Measure how well and how fast images are found, beside other ways to do it.

    Every benchmark prints its rows as tables, and writes them where --json and --report say.

    \b
    Examples:
      hmar bench accuracy --quick
      hmar bench accuracy --dataset radimagenet --root /data/radimagenet
      hmar bench region
      hmar bench lesions --data tumours
      hmar bench series --data organs
      hmar bench slabs --data organs
      hmar bench refine --lesions tumours
      hmar bench qrels topics.jsonl qrels.txt
      hmar bench typicality --data people
      hmar bench speed
      hmar bench size
      hmar bench gpu
      hmar bench page
      hmar bench trust --short
    """
