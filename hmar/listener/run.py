"""The listener as a process: it serves until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import FrameType

from hmar.config import Settings
from hmar.disk import Disk
from hmar.home import make_folders
from hmar.listener.objects import Objects
from hmar.listener.server import listening
from hmar.spool import LISTENER, Draft, Spool

GRACE_S = 5.0
"""Associations that are open when the process is to end have so long to end by themselves."""
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Listen until SIGINT or SIGTERM.

    Raises
    ------
    ConfigError
        If the port cannot be opened, or a setting cannot be used.
    """
    make_folders(settings)
    spool, disk = Spool(settings.spool_root), Disk([settings.home], settings.min_free_mb << 20)

    def begin() -> Draft:
        return spool.draft(LISTENER, settings.listen_collection, settings.max_file_bytes, disk.check)

    server = listening(settings, Objects(begin, settings.listen_collection))
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    _log.info("listening as %s on %s port %d", settings.listen_ae, *server.server_address[:2])
    stopping.wait()
    server.shutdown()
    end = time.monotonic() + GRACE_S
    for association in server.active_associations:
        association.join(max(0.0, end - time.monotonic()))
        if association.is_alive():
            association.abort()
