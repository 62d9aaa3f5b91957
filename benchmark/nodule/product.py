"""The product in a process of its own, on a data directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hmar.config import Settings
from hmar.errors import UnavailableError
from hmar.indexing import submit
from hmar.values.entries import EntryInfo, Origin
from hmar.wiring import Engine, build_engine

START_TIMEOUT_S = 180.0
POLL_S = 0.2
_REMEDY = "Run 'hmar doctor', then try again."


@dataclass(frozen=True, slots=True)
class Product:
    """A running product, and an engine that talks to its broker and database."""

    process: subprocess.Popen[bytes]
    log: Path
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
        job_id = submit(engine.jobs, engine.queue, collection, Origin("local", str(folder.resolve())))
        while (job := engine.jobs.job(job_id)) is not None and not job.finished:
            _check_runs(self.process, self.log)
            report(job.frames)
            time.sleep(POLL_S)
        if job is None or job.frames == 0:
            raise UnavailableError(f"Nothing of {folder.name} was indexed.", _REMEDY)
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
def running_product(settings: Settings) -> Iterator[Product]:
    """Run the whole product on ``settings.home``, with its model and a free port; stop it at the end.

    Raises
    ------
    UnavailableError
        If it does not start.
    """
    log = settings.home / "product.log"
    process = _start(settings.home, log)
    try:
        run = settings.home / "run"
        _wait(process, run / "service.url", log)
        yield Product(
            process, log, build_engine(replace(settings, redis_url=(run / "broker.url").read_text()))
        )
    finally:
        process.terminate()
        process.wait()


def _start(home: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HMAR_") or k == "HMAR_MODEL_DIR"}
    environment |= {"HMAR_HOME": str(home), "HMAR_PORT": "0"}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "hmar.cli", "serve"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait(process: subprocess.Popen[bytes], ready: Path, log: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while not ready.exists():
        _check_runs(process, log)
        if time.monotonic() > end:
            raise UnavailableError(
                f"The product did not start within {START_TIMEOUT_S:.0f} s.", "Run 'hmar doctor'."
            )
        time.sleep(0.1)


def _check_runs(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise UnavailableError(f"The product ended: {' '.join(last)}", _REMEDY)
