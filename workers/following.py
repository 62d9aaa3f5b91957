"""The PACS that are followed are watched by a worker, beside what it indexes."""

from __future__ import annotations

import threading

from hmar.config import Settings
from hmar.library.watching import watch_forever
from hmar.wiring import build_engine


def follow_forever(settings: Settings, stopped: threading.Event) -> None:
    """Follow until ``stopped``, by an engine that loads no model: what comes is indexed through messages."""
    engine = build_engine(settings)
    try:
        watch_forever(engine, stopped)
    finally:
        engine.close()
