"""``python -m service.processes``: one of several web processes, started by their parent alone."""

from __future__ import annotations

import sys

from service.processes.place import Place
from service.serving import serve
from service.starting import started


def main() -> int:
    """Serve in the place that the command line tells; return the exit status."""
    place = Place.of(sys.argv[1:])
    return started(lambda settings: serve(settings, place))


if __name__ == "__main__":
    raise SystemExit(main())
