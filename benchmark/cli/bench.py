"""``hmar bench``."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from benchmark.cli.tables import print_rows
from hmar.cli.progress import progress_of
from hmar.cli.settings import settings_from_environment
from hmar.errors import ConfigError, ParameterError

CACHE = "bench-cache"
QUICK_BITS, QUICK_SEEDS = "64", 1

if TYPE_CHECKING:
    from benchmark.accuracy.lite0 import FrozenLite0
    from benchmark.report import Montage
    from hmar.model.backbones.base import Backbone

Row = Mapping[str, object]
Command = Callable[..., None]


def _writable(_context: click.Context, option: click.Parameter, place: Path | None) -> Path | None:
    """Refuse a place that cannot be written, before the run and not after it."""
    if place is None:
        return None
    try:
        folder = place if option.name == "report" else place.parent
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if place.is_file():
            place.open("a").close()
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be written ({error.strerror}).",
            f"Give {option.opts[0]} a place that may be written.",
        ) from error
    return place


def _outputs(command: Command) -> Command:
    """Add the options that say where rows go besides the terminal."""
    for option in (
        click.option(
            "--report",
            type=click.Path(file_okay=False, path_type=Path),
            callback=_writable,
            help="Write them as an HTML and a Markdown page into this folder.",
        ),
        click.option(
            "--json",
            "json_file",
            type=click.Path(dir_okay=False, path_type=Path),
            callback=_writable,
            help="Append the rows to this file of JSON lines.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def bench() -> None:
    """Measure how well and how fast images are found, beside other ways to do it.

    \b
    Examples:
      hmar bench accuracy --quick
      hmar bench accuracy --dataset radimagenet --root /data/radimagenet
      hmar bench region --root /data/ct-volumes
      hmar bench speed
    """


@bench.command()
@click.option("--dataset", "name", help="Layout: radimagenet, radimagenet-ct, folder, manifest or dicom.")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("--bits", default="64,128", show_default=True, help="Code lengths, by commas.")
@click.option("--peers", default="all", show_default=True, help="all, tuned, or names by commas.")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Seeds of a peer.")
@click.option("--protocols", default="clean", show_default=True, help="Of clean, acir-compat, unseen.")
@click.option("--hold-out", default="", help="Classes that unseen holds out, by commas.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help=f"HMAR_HOME/{CACHE}.")
@click.option("--quick", is_flag=True, help="Small drawn data, untrained backbone, 64 bits, one seed.")
@_outputs
def accuracy(
    name: str | None,
    root: Path | None,
    bits: str,
    peers: str,
    seeds: int,
    protocols: str,
    hold_out: str,
    cache: Path | None,
    quick: bool,
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Compare codes on the same features and the same split: how much of the query's class is found.

    Every image is described once by a frozen backbone. Peers learn on train, choose on val, and search train
    with test, once. An interrupted run goes on where it stopped. The peers "tuned" train the backbone's last
    blocks too, on the images themselves: half an hour a seed for 5,000. Needs the extra "train".

    \b
    Examples:
      hmar bench accuracy --dataset radimagenet --root /data/radimagenet --json results.jsonl
      hmar bench accuracy --dataset folder --root /data/classes --peers all,tuned
      hmar bench accuracy --dataset folder --root /data/classes --peers itq,linear,hmar --report report
      hmar bench accuracy --quick
    """
    with tempfile.TemporaryDirectory(prefix="hmar-bench-") as scratch:
        if quick:
            from benchmark.accuracy.quick import write_quick

            write_quick(Path(scratch))
            name, root, cache = "manifest", Path(scratch), Path(scratch, "cache")
            bits, seeds = QUICK_BITS, QUICK_SEEDS
        if name is None or root is None:
            raise ParameterError("--dataset or --root is missing.", "Give both, or --quick.")
        _accuracy(
            name,
            root,
            _bits(bits),
            peers,
            seeds,
            _names(protocols),
            _names(hold_out),
            cache,
            quick,
            json_file,
            report,
        )


def _accuracy(
    name: str,
    root: Path,
    bits: Sequence[int],
    peers: str,
    seeds: int,
    protocols: Sequence[str],
    held: Sequence[str],
    cache: Path | None,
    quick: bool,
    json_file: Path | None,
    report: Path | None,
) -> None:
    with _extra():
        from benchmark.accuracy.features import FeatureStore
        from benchmark.accuracy.lite0 import published_lite0, untrained_lite0
        from benchmark.accuracy.montages import montages
        from benchmark.accuracy.protocols import check_protocols
        from benchmark.accuracy.quick import shortened
        from benchmark.accuracy.run import run_accuracy
        from benchmark.datasets import load_dataset
        from benchmark.peers import schedules, select_peers
        from benchmark.provenance.results import environment

    settings, console = settings_from_environment(), Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    threads, kept = settings.encoder_threads, cache or settings.home / CACHE

    @functools.cache
    def backbone() -> FrozenLite0:
        return untrained_lite0(threads) if quick else published_lite0(kept / "trunk", say, threads)

    with progress_of(console) as progress:
        selected = select_peers(peers, lambda: backbone().network(), progress)
        chosen = [shortened(peer) if quick else peer for peer in selected]
        dataset = load_dataset(name, root, progress)
        check_protocols(protocols, dataset, held)
        made_in = environment(
            threads,
            {
                **{"command": "accuracy", "dataset": name, "bits": bits},
                **{"peers": [peer.name for peer in chosen], "seeds": seeds, "protocols": protocols},
                **{"held_out": held, "quick": quick, "training": schedules(chosen)},
            },
        )
        store = FeatureStore(backbone(), kept)
        complete = store.complete(dataset, progress)
        for problem in complete.problems:
            say(problem)
        outcome = run_accuracy(
            complete, store, chosen, bits, seeds, protocols, kept / "trials", progress, held
        )
    rows = [row.to_dict() for row in outcome.rows]
    print_rows(rows)
    for line in outcome.duplicates:
        click.echo(line)
    pictures = montages(outcome.examples) if report is not None else []
    notes = {"left out": complete.problems, "duplicates": outcome.duplicates}
    _keep(rows, f"Accuracy on {dataset.name}", made_in, json_file, report, pictures, notes)


@bench.command()
@click.option(
    "--root", type=click.Path(path_type=Path), required=True, help="Folder of the volumes with organ masks."
)
@click.option("--peers", default="all", show_default=True, help="all, ablations, or names by commas.")
@click.option("--bits", default="64,128", show_default=True, help="Code lengths, by commas.")
@click.option("--steps", type=click.IntRange(1), help="With the backbone's tail, of what is trained here.")
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Of what is trained here."
)
@_outputs
def region(
    root: Path,
    peers: str,
    bits: str,
    steps: int | None,
    seeds: int,
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Compare ways to find a region again: organs across patients, drawn lesions, and the nodule of the demo.

    The peers "ablations" are ours and ours without one of its parts at a time, each trained on both volumes.
    Needs the extra "train".

    \b
    Examples:
      hmar bench region --root /data/ct-volumes
      hmar bench region --root /data/ct-volumes --peers random,thumbnail,hmar --bits 128 --json region.jsonl
      hmar bench region --root /data/ct-volumes --peers ablations --seeds 2 --json ablations.jsonl
    """
    with _extra():
        from benchmark.provenance.results import environment
        from benchmark.region import TRAINING, run_region
        from hmar.training.config import with_steps
        from hmar.training.data.open_ct import fetch_backbone, published_backbone

    lengths = _bits(bits)
    settings = settings_from_environment()
    threads, kept = settings.encoder_threads, settings.home / CACHE
    made_in = environment(
        threads,
        {"command": "region", "bits": lengths, "peers": _names(peers), "steps": steps, "seeds": seeds},
    )
    with progress_of(Console(stderr=True)) as progress:

        def published() -> Backbone:
            fetch_backbone(kept, lambda line: progress(line, 0, 0))
            return published_backbone(kept)

        rows = run_region(
            *(root, _names(peers), lengths, progress, published, kept / "region"),
            threads=threads,
            model_dir=settings.model_dir,
            training=TRAINING if steps is None else with_steps(TRAINING, steps),
            seeds=seeds,
        )
    print_rows(rows)
    _keep(rows, "Regions across patients", made_in, json_file, report)


@bench.command()
@click.option(
    "--part", "parts", default="all", show_default=True, help="all, or of encode, kan, scan, filters, http."
)
@click.option("--frames", type=click.IntRange(1), default=100_000, show_default=True, help="Frames scanned.")
@click.option("--windows", type=click.IntRange(1), default=170, show_default=True, help="Windows of a frame.")
@click.option("--growth", is_flag=True, help="Also scan smaller archives, and project to ten million frames.")
@_outputs
def speed(
    parts: str, frames: int, windows: int, growth: bool, json_file: Path | None, report: Path | None
) -> None:
    """Time encoding, KAN layers, the scan, filters and queries over HTTP, each beside another way to do it.

    Needs the extra "train".

    \b
    Examples:
      hmar bench speed
      hmar bench speed --part scan --frames 1000000 --growth --json speed.jsonl
    """
    with _extra():
        from benchmark.provenance.results import environment
        from benchmark.speed import PARTS, run_speed

    chosen = PARTS if parts == "all" else _names(parts)
    config = {
        "command": "speed",
        "parts": list(chosen),
        "frames": frames,
        "windows": windows,
        "growth": growth,
    }
    made_in = environment(settings_from_environment().encoder_threads, config)
    with progress_of(Console(stderr=True)) as progress:
        rows = run_speed(chosen, frames, windows, progress, growth)
    print_rows(rows)
    _keep(rows, "Speed", made_in, json_file, report)


@contextmanager
def _extra() -> Iterator[None]:
    """Say which package of the extra "train" an import lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"This benchmark needs {error.name}, which is not installed.",
            "Run: pip install 'hmar-search[train]'",
        ) from error


def _keep(
    rows: Sequence[Row],
    title: str,
    made_in: Row,
    json_file: Path | None,
    report: Path | None,
    pictures: Sequence[Montage] = (),
    notes: Row | None = None,
) -> None:
    """Write the rows where the options say; notes stand on the pages alone."""
    from benchmark.provenance.results import append_results
    from benchmark.report import write_report

    if json_file is not None:
        try:
            append_results(json_file, rows, made_in)
        except OSError as error:
            raise ConfigError(
                f"{json_file} cannot be written ({error.strerror}).",
                "Give --json a file that may be written.",
            ) from error
        click.echo(f"{json_file}: {len(rows)} rows", err=True)
    if report is not None:
        with _extra():
            page, _ = write_report(rows, report, title, {**made_in, **(notes or {})}, pictures)
        click.echo(f"{page}: written", err=True)


def _bits(text: str) -> list[int]:
    """Return code lengths; raises ParameterError for what is no positive multiple of 8."""
    try:
        lengths = [int(name) for name in _names(text)]
    except ValueError:
        lengths = []
    if not lengths or any(length < 8 or length % 8 for length in lengths):
        raise ParameterError(
            f"The code lengths are {text!r}.", "Give multiples of 8 with commas between, such as 64,128."
        )
    return lengths


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
