"""``python -m hmar.listener``: one listener, configured by the environment."""

from __future__ import annotations

import logging
import os
import sys

from hmar.config import Settings
from hmar.errors import HmarError
from hmar.listener.run import run
from hmar.logs import log_to_stderr


def main() -> int:
    """Run a listener; return the exit status."""
    log_to_stderr(logging.WARNING, "%(levelname)s %(name)s: %(message)s", os.environ)
    logging.getLogger("hmar").setLevel(logging.INFO)
    try:
        run(Settings.from_environment(os.environ))
    except HmarError as error:
        logging.getLogger("hmar.listener").error("%s %s", error.detail, error.remedy)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
