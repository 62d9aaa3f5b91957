"""Log lines of the product's processes, as text or JSON: the same trouble is told once a minute."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from hmar import request_ids

EVERY_S = 60.0


class OnceAMinute(logging.Filter):
    """Lets a warning or an error pass once a minute, and tells how often the same text was left out.

    Attached to a handler, it holds for all that the process logs, libraries included.

    Parameters
    ----------
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is to be logged."""
        if record.levelno < logging.WARNING:
            return True
        text, now = record.getMessage(), self._clock()
        key = (record.name, record.levelno, text)
        with self._lock:
            told_at, left_out = self._told.get(key, (now - EVERY_S, 0))
            if now - told_at < EVERY_S:
                self._told[key] = (told_at, left_out + 1)
                return False
            # Twice as long, so that the number left out is told when the trouble goes on.
            self._told = {k: (at, n) for k, (at, n) in self._told.items() if now - at < 2 * EVERY_S}
            self._told[key] = (now, 0)
        if left_out:
            record.msg, record.args = f"{text} ({left_out} more like it before)", ()
        return True


class JsonLines(logging.Formatter):
    """A line of JSON for each record: time, level, logger, message, and the id of the request, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what a record says in several lines is in one."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := request_ids.current():
            told["request_id"] = request_id
        if record.exc_info and record.exc_info[0] is not None:
            # Where and of what class, but not its message, which may quote what was being read.
            told["exception"] = "".join(traceback.format_tb(record.exc_info[2])) + record.exc_info[0].__name__
        return json.dumps(told)


def log_to_stderr(level: int, line: str, environment: Mapping[str, str]) -> None:
    """Let this process log to standard error, the same trouble once a minute.

    Parameters
    ----------
    level : int
        Of the root logger.
    line : str
        Format of a line of text.
    environment : mapping of str to str
        Its HMAR_LOG_FORMAT is looked at before the other settings, which may be what is to be logged.
    """
    logging.basicConfig(level=level, format=line)
    for handler in logging.getLogger().handlers:
        handler.addFilter(OnceAMinute())
        if environment.get("HMAR_LOG_FORMAT", "").strip() == "json":
            handler.setFormatter(JsonLines())
    # A line that cannot be written, on a full disk for instance, is not worth a traceback.
    logging.raiseExceptions = False
