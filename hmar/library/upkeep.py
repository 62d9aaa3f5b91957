"""Backups and verifications that the API was asked for are made here, beside other work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hmar.config import Settings
from hmar.errors import OperatorError
from hmar.library.backups import Backups
from hmar.library.verifications import Verifications

LOOK_S = 2.0
"""Pause between two looks for what waits: two small files are read."""
_log = logging.getLogger(__name__)


def upkeep_forever(settings: Settings, stopped: threading.Event) -> None:
    """Remove what killed processes have left, then do what waits until ``stopped``; an error is logged."""
    _try(Backups(settings).sweep)
    while not stopped.wait(LOOK_S):
        _try(Backups(settings).do_waiting)
        _try(Verifications(settings).do_waiting)


def _try(call: Callable[[], object]) -> None:
    try:
        call()
    except OperatorError as error:
        _log.warning("upkeep waits: %s", error)
    except Exception as error:
        _log.warning("upkeep failed: %s", type(error).__name__)
