"""``hmar demo``."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmark.nodule.queries import Nodule, QueryResult, load_nodule, run_queries
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.cli.settings import settings_from_environment
from hmar.errors import UnavailableError
from hmar.indexing import submit
from hmar.product.running import RunningProduct, running_product
from hmar.sample.study import SampleData, fetch_sample_data
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import EntryInfo, Origin
from hmar.values.frames import Frame
from hmar.wiring import Engine, build_engine

COLLECTION = "demo"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(as_json: bool) -> None:
    """Find a real nodule again, and measure how well.

    Fetches the sample study, starts the product on a data directory of its own, indexes both series through
    its worker, and queries with the nodule's box on each of its slices in turn, that slice excluded. The same
    queries are put to codes of 32x32 thumbnails of equal length.

    \b
    Examples:
      hmar demo
      hmar demo --json
    """
    settings = settings_from_environment()
    console = Console(stderr=True)
    sample = fetch_sample_data(settings.home / "sample-data", lambda line: console.print(line, style="dim"))
    nodule = load_nodule(sample.nodule)
    with tempfile.TemporaryDirectory(prefix="hmar-demo-") as folder:
        home = Path(folder)
        settings = replace(settings, home=home, database_url="", import_dir="")
        with running_product(home, {"HMAR_MODEL_DIR": settings.model_dir}) as product:
            engine = build_engine(replace(settings, redis_url=product.broker_url))
            seconds = _index(product, engine, sample, console)
            entries = _entries(engine)
            slices = [(entry, engine.frame(entry)) for entry in entries if nodule.on(entry) is not None]
            ours = list(run_queries(engine.searcher, nodule, slices))
            baseline = _thumbnails(engine, entries, nodule, slices, home, console)
            model = engine.encoder.name
    figures = _figures(ours, baseline, len(entries), seconds, model)
    if as_json:
        click.echo(json.dumps(figures))
    else:
        _report(ours, baseline, figures, Console())


def _index(product: RunningProduct, engine: Engine, sample: SampleData, console: Console) -> float:
    """Index both series through the product's worker; return the seconds it took."""
    begun = time.monotonic()
    for folder in (sample.lidc, sample.example):
        job_id = submit(engine.jobs, engine.queue, COLLECTION, Origin("local", str(folder.resolve())))
        with console.status(f"indexing {folder.name} through the worker") as status:
            while (job := engine.jobs.job(job_id)) is not None and not job.finished:
                product.check()
                status.update(f"indexing {folder.name} through the worker: {job.frames} frames")
                time.sleep(0.2)
        if job is None or job.frames == 0:
            raise UnavailableError(
                f"Nothing of {folder.name} was indexed.", "Run 'hmar doctor', then try again."
            )
    return time.monotonic() - begun


def _entries(engine: Engine) -> list[EntryInfo]:
    fingerprint = engine.encoder.fingerprint
    return [
        entry
        for series in engine.catalogue.series(fingerprint)
        for entry in engine.catalogue.frames(COLLECTION, series.series_uid, fingerprint)
    ]


def _thumbnails(
    engine: Engine,
    entries: Sequence[EntryInfo],
    nodule: Nodule,
    slices: Sequence[tuple[EntryInfo, Frame]],
    home: Path,
    console: Console,
) -> list[QueryResult]:
    """Put the same queries to thumbnail codes of the same frames."""
    encoder = ThumbnailEncoder()
    catalogue = MemoryCatalogue()
    for entry in track(entries, "encoding thumbnails", console=console, transient=True):
        catalogue.append(COLLECTION, [encoder.encode(engine.frame(entry))], entry.origin)
    searcher = Searcher(catalogue, EmbeddedIndex(home / "thumbnails", encoder.fingerprint), encoder)
    own = [
        (catalogue.find(entry.info.sop_instance_uid, encoder.fingerprint)[0], frame)
        for entry, frame in slices
    ]
    return list(run_queries(searcher, nodule, own))


def _figures(
    ours: Sequence[QueryResult], baseline: Sequence[QueryResult], frames: int, seconds: float, model: str
) -> dict[str, object]:
    errors = [error for result in ours for error in result.centre_errors_mm]
    return {
        "queries": len(ours),
        "hits_in_top10_mean": round(statistics.fmean(result.hits for result in ours), 3),
        "nodule_slices_available": len(ours) - 1,
        "centre_error_mm_median": round(statistics.median(errors), 2) if errors else None,
        "ms_per_query_p50": round(statistics.median(result.ms for result in ours), 1),
        "thumbnail_hits_in_top10_mean": round(statistics.fmean(result.hits for result in baseline), 3),
        "frames_indexed": frames,
        "indexing_seconds": round(seconds, 1),
        "model": model,
    }


def _report(
    ours: Sequence[QueryResult],
    baseline: Sequence[QueryResult],
    figures: dict[str, object],
    console: Console,
) -> None:
    table = Table("slice z (mm)", "box x,y,w,h", "hits", "thumbnail hits", "centre error (mm)", "ms")
    for result, peer in zip(ours, baseline, strict=True):
        error = f"{statistics.median(result.centre_errors_mm):.1f}" if result.centre_errors_mm else "-"
        box = ",".join(f"{value:.0f}" for value in result.region)
        table.add_row(f"{result.z:g}", box, str(result.hits), str(peer.hits), error, f"{result.ms:.0f}")
    console.print(table)
    for name, value in figures.items():
        console.print(f"{name:>30}  {value}")
