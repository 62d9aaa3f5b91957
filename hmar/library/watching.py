"""The PACS that are followed are watched here, each by a thread, so that none holds up another."""

from __future__ import annotations

import logging
import threading

from hmar.errors import HmarError, OperatorError
from hmar.watching.watcher import Watcher
from hmar.wiring import Engine

_END_S = 2.0
_AGAIN_S = 60.0
_log = logging.getLogger(__name__)


def watch_forever(engine: Engine, stopped: threading.Event) -> None:
    """Watch every PACS that is followed until ``stopped``; an error is logged and tried again."""
    threads = [
        threading.Thread(target=_watch, args=(watcher, stopped), name="watching a PACS", daemon=True)
        for watcher in _watchers(engine, stopped)
    ]
    for thread in threads:
        thread.start()
    stopped.wait()
    for thread in threads:
        thread.join(_END_S)


def _watchers(engine: Engine, stopped: threading.Event) -> list[Watcher]:
    """Return who watches; waits while the file of PACS cannot be used."""
    while not stopped.is_set():
        try:
            return engine.watchers()
        except HmarError as error:
            _log.error("no PACS is followed: %s", error)
            stopped.wait(_AGAIN_S)
    return []


def _watch(watcher: Watcher, stopped: threading.Event) -> None:
    while not stopped.is_set():
        if not _looked(watcher, stopped):
            stopped.wait(watcher.every_s)
    _try_to_close(watcher)


def _looked(watcher: Watcher, stopped: threading.Event) -> bool:
    try:
        return watcher.look(stopped.is_set)
    except OperatorError as error:
        _log.warning("watching a PACS waits: %s", error)
    except Exception as error:
        _log.warning("watching a PACS failed: %s", type(error).__name__)
    return False


def _try_to_close(watcher: Watcher) -> None:
    try:
        watcher.close()
    except OperatorError as error:
        _log.warning("a PACS is watched again when its lease is over: %s", error)
