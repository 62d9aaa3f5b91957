"""``hmar bench speed``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, names, outputs
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.cli.training.device import device_option
from hmar.errors import ParameterError
from hmar.library.extras import extra_train


@click.command()
@click.option(
    "--part",
    "parts",
    default="all",
    show_default=True,
    help="all, or of encode, kan, scan, filters, decode, http, seen, mixed, processes, pacs, train, by "
    "commas; filters needs the extra bench too, pacs Orthanc with DICOMweb, and DCMTK.",
)
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Frames of the scanned archives; most instances that the part pacs sends.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Data directory of an archive of two people or more, whose codes the scanned archives are drawn "
    "from; without it, that of HMAR_HOME.",
)
@click.option(
    "--growth",
    is_flag=True,
    help="Also scan archives from ten thousand frames up to --frames, and project to a million and to ten.",
)
@device_option("cpu", "Where the part train computes")
@click.option(
    "--workers",
    default="0,1",
    show_default=True,
    help="Numbers of worker processes of the part train, by commas.",
)
@outputs
def speed(
    parts: str,
    frames: int,
    data: Path | None,
    growth: bool,
    device: str,
    workers: str,
    outputs: Outputs,
) -> None:
    """Time encoding, KAN layers, scan, filters, decoding, HTTP, PACS and training, each beside another way.

    Each figure is a ratio to a named peer of the same run, with the quality of both answers beside it; rounds
    alternate between the two, after warm-up, but for training, where one run follows the other. Needs the
    extra "train". The parts scan and filters draw archives from the codes of a real one: people who are not
    in it, as unlike one another as those who are, and queries of a tenth of its people, who are left out.

    \b
    Examples:
      hmar bench speed
      hmar bench speed --part scan --data /data/hmar --frames 300000 --growth --json speed.jsonl
      hmar bench speed --part filters --json filters.jsonl
      hmar bench speed --part pacs --frames 200
      hmar bench speed --part train --device cuda --workers 0,4,8,15
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.provenance.results import environment
        from benchmark.speed import PARTS, run_speed
        from hmar.training.device import choose_device

    chosen = PARTS if parts == "all" else names(parts)
    config = {
        "command": "speed",
        "parts": list(chosen),
        "frames": frames,
        "growth": growth,
        "device": choose_device(device),
        "workers": _numbers(workers),
    }
    made_in = environment(settings_from_environment().encoder_threads, config)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_speed(chosen, frames, progress, growth, data, choose_device(device), _numbers(workers))
    print_rows(rows)
    outputs.write(rows, "Speed", made_in)


def _numbers(text: str) -> list[int]:
    """Return whole numbers by commas; raises ParameterError for anything else."""
    found = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in found):
        raise ParameterError(f"--workers is {text!r}.", "Give numbers from 0 by commas.")
    return [int(part) for part in found]
