"""``hmar bench gpu``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmark.cli.options import NEEDS_EXTRA, Outputs, names, outputs
from hmar.cli.progress import progress_of
from hmar.errors import ParameterError
from hmar.library.extras import extra_train

PARTS = ("scan", "encode")


@click.command()
@click.option("--part", "parts", default=",".join(PARTS), show_default=True, help="Parts, by commas.")
@click.option(
    "--frames", type=click.IntRange(1), default=1_000_000, show_default=True, help="Frames scanned."
)
@click.option("--windows", type=click.IntRange(1), default=690, show_default=True, help="Windows of a frame.")
@click.option("--repeats", type=click.IntRange(1), default=40, show_default=True, help="Rounds that count.")
@click.option(
    "--encoded", type=click.IntRange(1), default=600, show_default=True, help="Frames that a process encodes."
)
@click.option(
    "--processes", default="1,4,8", show_default=True, help="Numbers of processes that encode, by commas."
)
@click.option(
    "--device",
    default="cuda",
    show_default=True,
    type=click.Choice(["cuda", "cpu"]),
    help="Where torch encodes; cpu shows only that everything works.",
)
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the model that encodes; the shipped one, if not given.",
)
@outputs
def gpu(
    parts: str,
    frames: int,
    windows: int,
    repeats: int,
    encoded: int,
    processes: str,
    device: str,
    model: Path | None,
    outputs: Outputs,
) -> None:
    """Time scan and encoder on a GPU, beside the processor of the same machine on all its cores.

    The scan takes 16 bytes of the GPU's memory a window, 11 GB as it is asked by default, and about twice as
    much of the machine's. Every row tells how many answers, or bits, are the processor's.

    \b
    Examples:
      hmar bench gpu
      hmar bench gpu --part scan --frames 300000 --json gpu.jsonl
    """
    with extra_train(NEEDS_EXTRA):
        from benchmark.cli.tables import print_rows
        from benchmark.gpu.encode import measure_encode
        from benchmark.gpu.scan import measure_scan
        from benchmark.provenance.results import environment
        from hmar.encoder import shipped_bundle

    chosen = names(parts)
    if not chosen or set(chosen) - set(PARTS):
        raise ParameterError(f"The parts are {parts!r}.", f"Give some of {', '.join(PARTS)}.")
    counts = [int(count) for count in names(processes) if count.isdecimal() and int(count)]
    if len(counts) != len(names(processes)) or not counts:
        raise ParameterError(f"--processes is {processes!r}.", "Give whole numbers from 1, by commas.")
    config = {
        "command": "gpu",
        "parts": list(chosen),
        "frames": frames,
        "windows": windows,
        "processes": counts,
        "device": device,
    }
    made_in = environment(1, config)
    rows: list[dict[str, object]] = []
    with progress_of(Console(stderr=True)) as progress:
        if "scan" in chosen:
            rows += measure_scan(frames, windows, repeats, max(1, repeats // 10), progress)
            outputs.write(rows, "GPU", made_in)
        if "encode" in chosen:
            timed = measure_encode(model or shipped_bundle(), device, counts, encoded, progress)
            outputs.write(timed, "GPU", made_in)
            rows += timed
    print_rows(rows)
