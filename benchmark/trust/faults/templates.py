"""The archives that are harmed, and the other one whose files are put in their place."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
from pathlib import Path

from benchmark.trust.kills.operations import BACKUP, command
from benchmark.trust.oracle.album import CUT_SHORT, album, write_album
from benchmark.trust.settings import settings_of
from hmar.adapters.memory import InlineQueue
from hmar.library.archive import Archive
from hmar.library.index_job import run_job
from hmar.product.greeting import default_key
from hmar.secrets import replace_private
from hmar.values.entries import EntryInfo, Origin
from hmar.wiring import Engine, build_engine

IMPORTED = "imported"
UPLOADED = "uploaded"
_NOBODY = "redis://:none@127.0.0.1:1/0"
"""The address that a product which was killed has left."""


def make(home: str, seed: int) -> dict[str, str]:
    """Make an archive with one of every file; return a digest of the pixels of each frame.

    Images of the import folder, uploads, two snapshots with rows after the newest, secrets, an API key, and
    the addresses that a killed product leaves.
    """
    place = Path(home)
    write_album(place / "import" / "album", album(seed))
    index_again(home)
    _snapshot(place)
    with Archive(settings=settings_of(place)) as archive:
        for picture in album(seed, study=2)[:3]:
            archive.add(picture.data, collection=UPLOADED)
    _snapshot(place)
    with Archive(settings=settings_of(place)) as archive:
        archive.add(album(seed, study=2)[3].data, collection=UPLOADED)
        engine = archive.engine
        default_key(engine)
        for name, address in (("broker.url", _NOBODY), ("service.url", "http://127.0.0.1:1")):
            replace_private(place / "run" / name, address.encode())
        digests = {str(entry.entry_id): pixels_of(engine, entry) for entry in archive.frames()}
    command(place, "backup", str(place / BACKUP))
    return digests


def leave_write_ahead_log(home: str, seed: int) -> None:
    """Index one more image and be killed, so that rows are in the write-ahead log alone."""
    with sqlite3.connect(Path(home) / "catalogue.db") as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        with Archive(settings=settings_of(Path(home))) as archive:
            archive.add(album(seed, study=2)[4].data, collection=UPLOADED)
            os.kill(os.getpid(), signal.SIGKILL)


def index_again(home: str) -> list[str]:
    """Index the import folder; return the reasons of what failed, but for the one that always does."""
    queue = InlineQueue()
    engine = build_engine(settings_of(Path(home)), queue=queue)
    job = run_job(engine, queue, IMPORTED, Origin("import", "album"))
    items = engine.jobs.items(job.job_id, list(job.counts), 1000)
    engine.close()
    failed = [item for item in items if Path(item.origin.reference).name != CUT_SHORT]
    return [item.reason for item in failed if item.reason is not None]


def pixels_of(engine: Engine, entry: EntryInfo) -> str:
    """Return a digest of an indexed frame, read again: pixels, and whose it is by file and row."""
    frame = engine.frame(entry)
    whose = [(info.patient_key, info.study_uid, info.series_uid) for info in (frame.info, entry.info)]
    return hashlib.sha256(frame.values.tobytes() + repr(whose).encode()).hexdigest()


def _snapshot(home: Path) -> None:
    engine = build_engine(settings_of(home))
    engine.searcher.refresh()
    engine.index.snapshot()
    engine.close()
