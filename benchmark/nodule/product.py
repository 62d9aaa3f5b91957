"""The product in a process of its own, with an engine that talks to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.indexing.submitting import submit
from hmar.product.running import RunningProduct, running_product
from hmar.values.entries import EntryInfo, Origin
from hmar.values.references import reference_of
from hmar.wiring import Engine, build_engine

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Product:
    """A running product, and an engine that talks to its broker and database."""

    running: RunningProduct
    engine: Engine

    def index(self, folder: Path, collection: str, report: Callable[[int], None]) -> None:
        """Index a folder through the product's worker.

        Parameters
        ----------
        folder : Path
        collection : str
        report : callable
            Told the number of frames so far.

        Raises
        ------
        UnavailableError
            If the product ends, or nothing of the folder was indexed.
        """
        engine = self.engine
        job_id = submit(
            engine.jobs, engine.queue, collection, Origin("local", reference_of(folder.resolve()))
        )
        while (job := engine.jobs.job(job_id)) is not None and not job.finished:
            self.running.check()
            report(job.frames)
            time.sleep(POLL_S)
        if job is None or job.frames == 0:
            raise UnavailableError(
                f"Nothing of {folder.name} was indexed.", "Run 'hmar doctor', then try again."
            )
        report(job.frames)

    def entries(self, collection: str) -> Sequence[EntryInfo]:
        """Return every frame of a collection."""
        catalogue, fingerprint = self.engine.catalogue, self.engine.encoder.fingerprint
        return [
            entry
            for series in catalogue.series(fingerprint)
            for entry in catalogue.frames(collection, series.series_uid, fingerprint)
        ]


@contextmanager
def product_with_engine(settings: Settings) -> Iterator[Product]:
    """Run the whole product on ``settings.home``, with its model and a free port; stop it at the end.

    Raises
    ------
    UnavailableError
        If it does not start.
    """
    with running_product(settings.home, {"HMAR_MODEL_DIR": settings.model_dir}) as running:
        yield Product(running, build_engine(replace(settings, redis_url=running.broker_url)))
