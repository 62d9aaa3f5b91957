"""The run of ``hmar demo``: the sample study through the whole product, then queries with its nodule."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.nodule.product import Product, product_with_engine
from benchmark.nodule.queries import Nodule, QueryResult, load_nodule, run_queries
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.memory import MemoryCatalogue
from hmar.config import Settings
from hmar.sample.study import SampleData
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame
from hmar.wiring import Engine

COLLECTION = "demo"
Slices = Sequence[tuple[EntryInfo, Frame]]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo found.

    Parameters
    ----------
    ours, thumbnails : tuple of QueryResult
        The same queries, in the same order, put to the model's codes and to those of 32x32 thumbnails.
    frames : int
        How many were indexed.
    indexing_seconds : float
    model : str
    """

    ours: tuple[QueryResult, ...]
    thumbnails: tuple[QueryResult, ...]
    frames: int
    indexing_seconds: float
    model: str

    def figures(self) -> dict[str, object]:
        """Return the figures, rounded, ready for JSON."""
        errors = [error for result in self.ours for error in result.centre_errors_mm]
        return {
            "queries": len(self.ours),
            "hits_in_top10_mean": _mean_hits(self.ours),
            "nodule_slices_available": len(self.ours) - 1,
            "centre_error_mm_median": round(statistics.median(errors), 2) if errors else None,
            "ms_per_query_p50": round(statistics.median(result.ms for result in self.ours), 1),
            "thumbnail_hits_in_top10_mean": _mean_hits(self.thumbnails),
            "frames_indexed": self.frames,
            "indexing_seconds": round(self.indexing_seconds, 1),
            "model": self.model,
        }


def run_demo(settings: Settings, sample: SampleData, progress: Progress) -> DemoResult:
    """Index the sample study through the product's worker, and query with the nodule on each of its slices.

    The product runs on a data directory of its own, which is deleted at the end. A query's own slice is
    excluded (:mod:`benchmark.nodule.queries` has the protocol).

    Raises
    ------
    UnavailableError
        If the product does not start, ends, or indexes nothing.
    """
    nodule = load_nodule(sample.nodule)
    with tempfile.TemporaryDirectory(prefix="hmar-demo-") as folder:
        home = Path(folder)
        own = replace(settings, home=home, redis_url="", database_url="", import_dir="")
        with product_with_engine(own) as product:
            seconds = _index(product, sample, progress)
            engine, entries = product.engine, product.entries(COLLECTION)
            slices = [(entry, engine.frame(entry)) for entry in entries if nodule.on(entry) is not None]
            ours = tuple(run_queries(engine.searcher, nodule, slices))
            thumbnails = _thumbnails(engine, entries, nodule, slices, home, progress)
            return DemoResult(ours, thumbnails, len(entries), seconds, engine.encoder.name)


def _index(product: Product, sample: SampleData, progress: Progress) -> float:
    """Index both series; return the seconds it took."""
    begun = time.monotonic()
    for folder in (sample.lidc, sample.example):
        files = sum(1 for _ in folder.iterdir())
        what = f"indexing {folder.name} through the worker"

        def report(frames: int, what: str = what, files: int = files) -> None:
            progress(what, frames, files)

        product.index(folder, COLLECTION, report)
    return time.monotonic() - begun


def _thumbnails(
    engine: Engine,
    entries: Sequence[EntryInfo],
    nodule: Nodule,
    slices: Slices,
    home: Path,
    progress: Progress,
) -> tuple[QueryResult, ...]:
    """Put the same queries to thumbnail codes of the same frames."""
    encoder, catalogue = ThumbnailEncoder(), MemoryCatalogue()
    for done, entry in enumerate(entries, start=1):
        catalogue.append(COLLECTION, [encoder.encode(engine.frame(entry))], entry.origin)
        progress("encoding thumbnails", done, len(entries))
    searcher = Searcher(catalogue, EmbeddedIndex(home / "thumbnails", encoder.fingerprint), encoder)
    own = [
        (catalogue.find(entry.info.sop_instance_uid, encoder.fingerprint)[0], frame)
        for entry, frame in slices
    ]
    return tuple(run_queries(searcher, nodule, own))


def _mean_hits(results: Sequence[QueryResult]) -> float:
    return round(statistics.fmean(result.hits for result in results), 3)
