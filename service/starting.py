"""What a web process does before it serves: it logs, and reads its settings."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from hmar.config import Settings
from hmar.errors import HmarError
from hmar.logs import log_to_stderr

_log = logging.getLogger("hmar.service")


def started(serve: Callable[[Settings], int]) -> int:
    """Serve by the settings of the environment; return the exit status. What prevents it is one line."""
    log_to_stderr(logging.INFO, "%(asctime)s %(levelname)s %(name)s %(message)s", os.environ)
    for library in ("alembic", "faiss"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        settings = Settings.from_environment(os.environ)
        settings.check_shared()
        return serve(settings)
    except HmarError as error:
        _log.error("%s", error)
        return 1
