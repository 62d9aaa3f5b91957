"""``python -m workers``: one worker, configured by the environment."""

from __future__ import annotations

import logging
import os
import sys

from hmar.config import Settings
from hmar.disk import write_error
from hmar.errors import HmarError
from hmar.logs import log_to_stderr
from workers.app import run


def main() -> int:
    """Run a worker; return the exit status."""
    log_to_stderr(logging.WARNING, "%(levelname)s %(name)s: %(message)s", os.environ)
    for package in ("hmar", "workers"):
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        settings = Settings.from_environment(os.environ)
        # Who searches waits; who indexes does not.
        os.nice(settings.worker_nice)
        return run(settings)
    except HmarError as error:
        logging.getLogger("workers").error("%s %s", error.detail, error.remedy)
        return 3
    except OSError as error:
        logging.getLogger("workers").error("%s", write_error("A file", error))
        return 3


if __name__ == "__main__":
    sys.exit(main())
