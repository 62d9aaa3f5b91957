"""``hmar bench size``: catalogues of several sizes, and what indexing takes."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmark.sizing.catalogue import STUDY_FRAMES, fill
from benchmark.sizing.indexing import measure_indexing, measure_workers
from benchmark.sizing.operations import Timed, time_operations
from benchmark.sizing.sizes import table_bytes
from benchmark.sizing.starting import time_starting
from benchmark.speed.phantom import phantom_file
from benchmark.types import Progress
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.errors import ParameterError
from hmar.wiring import build_engine

WORKERS = (1, 2)
ROUNDS = 3
INDEXED = 100
"""Files that are indexed, spread over those that are given."""
_DATABASE = "catalogue.db"


def run_size(
    settings: Settings, sizes: Sequence[int], windows: int, data: Path | None, progress: Progress
) -> list[dict[str, object]]:
    """Measure catalogues of several sizes, and indexing.

    Parameters
    ----------
    settings : Settings
        ``home`` is where archives are made, one at a time, each removed in the end.
    sizes : sequence of int
        Frames of the catalogues, from 1; none measures indexing alone.
    windows : int
        Windows of every frame, from 1. A million frames with 650 take 30 GB.
    data : Path or None
        Folder of DICOM files of one frame that are indexed; None draws phantoms.
    progress : Progress

    Raises
    ------
    ParameterError
        If a size is below 1, or the folder holds too few files.
    """
    if windows < 1 or any(size < 1 for size in sizes):
        raise ParameterError(
            f"There are {list(sizes)} frames of {windows} windows.", "Give 1 or more of each."
        )
    rows: list[dict[str, object]] = []
    for size in sizes:
        with _home(settings) as home:
            rows += measure_catalogue(replace(settings, home=Path(home)), size, windows, progress)
    with _home(settings) as home:
        files = _files(Path(home, "files"), data)
        rows += measure_indexing(replace(settings, home=Path(home, "one")), files, progress)
        rows += measure_workers(
            replace(settings, home=Path(home, "several")), files, WORKERS, ROUNDS, progress
        )
    return rows


def measure_catalogue(
    settings: Settings, frames: int, windows: int, progress: Progress
) -> list[dict[str, object]]:
    """Write a catalogue into ``settings.home``, and return rows of its bytes and of what is asked of it."""
    with closing(build_engine(settings, None, InlineQueue())) as engine:
        fill(engine.catalogue, frames, windows, engine.encoder.fingerprint, progress)
    return measure_filled(settings, frames, windows, progress)


def measure_filled(
    settings: Settings, frames: int, windows: int, progress: Progress
) -> list[dict[str, object]]:
    """Return the rows of a catalogue that :func:`fill` has written."""
    size = {"protocol": "sizing", "frames": frames, "windows": frames * windows}
    tables = table_bytes(settings.home / _DATABASE)
    database = {"part": "bytes", "name": "bytes of the database", "bytes": sum(tables.values())}
    largest = dict(itertools.islice(tables.items(), 8))
    asked = time_operations(settings, (frames - 1) // STUDY_FRAMES, progress)
    started = time_starting(settings, settings.home / "backup.tar", progress)
    written = next(int(one.gave.split()[0]) for one in started if one.name == "write a snapshot")
    snapshot = {"part": "bytes", "name": "bytes of a snapshot", "bytes": written}
    return [
        {**size, **database, "tables": largest},
        {**size, **snapshot},
        *({**size, "part": "operations", **told} for told in map(_told, asked)),
        *({**size, "part": "starting", **told} for told in map(_told, started)),
    ]


def _told(one: Timed) -> dict[str, object]:
    return {
        "name": one.name,
        "seconds": round(one.seconds, 4),
        "processor_s": round(one.processor_s, 4),
        "gave": one.gave,
    }


def _home(settings: Settings) -> tempfile.TemporaryDirectory[str]:
    settings.home.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="size-", dir=settings.home)


def _files(folder: Path, data: Path | None) -> list[Path]:
    if data is None:
        return list(_phantoms(folder))
    found = sorted(data.rglob("*.dcm"))
    if len(found) < INDEXED:
        raise ParameterError(
            f"{data} holds {len(found)} DICOM files.", f"Give a folder with {INDEXED} or more."
        )
    return found[:: len(found) // INDEXED][:INDEXED]


def _phantoms(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True)
    for number in range(INDEXED):
        path = folder / f"{number:05}.dcm"
        path.write_bytes(phantom_file(number))
        yield path
