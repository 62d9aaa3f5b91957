"""What a start, a snapshot, a backup and a verification of a large archive take."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmark.sizing.operations import Timed
from benchmark.types import Progress
from hmar.adapters.memory import InlineQueue
from hmar.backup.write import write_backup
from hmar.config import Settings
from hmar.library.integrity import Integrity, finding_of
from hmar.version import __version__
from hmar.wiring import Engine, build_engine


def time_starting(settings: Settings, backup: Path, progress: Progress) -> list[Timed]:
    """Time what goes through a whole archive, in the order of its life; each once.

    Parameters
    ----------
    settings : Settings
        ``home`` holds an archive without snapshots.
    backup : Path
        A file that is written, and removed at the end.
    progress : Progress
    """
    timed: list[Timed] = []

    def take(name: str, call: Callable[[], str]) -> None:
        progress(name, len(timed), len(timed) + 1)
        begun, used = time.perf_counter(), time.process_time()
        gave = call()
        timed.append(Timed(name, time.perf_counter() - begun, time.process_time() - used, gave))

    with closing(_engine(settings)) as engine:
        _ = engine.index
        take("index all of the log", lambda: f"{engine.searcher.refresh()} rows")
        take("write a snapshot", lambda: f"{_written(engine)} bytes")
    with closing(_engine(settings)) as engine:
        take("start from the snapshot", lambda: f"{_started(engine)} rows of the log")
        for part, check in list(Integrity(lambda *_: None, names=False).checks().items())[:3]:
            take(f"verify: {part}", lambda check=check, part=part: finding_of(part, check, engine).state)  # type: ignore[misc]
        take("write a backup", lambda: f"{_backup(engine, backup)} bytes")
    backup.unlink()
    return timed


def _engine(settings: Settings) -> Engine:
    return build_engine(settings, None, InlineQueue())


def _written(engine: Engine) -> int:
    engine.index.snapshot()
    files = (path for path in (engine.settings.home / "index").rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


def _started(engine: Engine) -> int:
    return engine.searcher.refresh()


def _backup(engine: Engine, target: Path) -> int:
    encoder = engine.encoder
    model = (encoder.name, encoder.fingerprint)
    home = engine.settings.home
    write_backup(target, home, engine.storage.copies, engine.uploads, model, __version__)
    return target.stat().st_size
