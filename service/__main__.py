"""``python -m service``: serve the API and the page until SIGTERM or Ctrl-C."""

from __future__ import annotations

from hmar.config import Settings
from service.processes.parent import serve_by_several
from service.starting import started


def main() -> int:
    """Serve; return the exit status."""
    return started(_serve)


def _serve(settings: Settings) -> int:
    if settings.web_processes > 1:
        return serve_by_several(settings)
    # Here, for a parent needs nothing of what serves.
    from service.serving import serve

    return serve(settings)


if __name__ == "__main__":
    raise SystemExit(main())
