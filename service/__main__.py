"""``python -m service``: serve the API and the page until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys

from hmar.config import Settings
from hmar.errors import HmarError
from hmar.wiring import Engine, build_engine
from service.app import create_app
from service.edge.bounds import Bounds
from service.refresh import Refresher
from service.server import make_server

_log = logging.getLogger("hmar.service")

SWITCH_INTERVAL_S = 0.0005
"""How long a thread keeps the interpreter lock while others want it: a tenth of Python's own value, since
the event loop, which answers health, wants it a dozen times for each request."""


def main() -> int:
    """Serve; return the exit status."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = Settings.from_environment(os.environ)
        settings.check_shared()
        engine = build_engine(settings, serving=True)
        _warm(engine)
    except HmarError as error:
        _log.error("%s", error)
        return 1
    _serve(engine)
    return 0


def _warm(engine: Engine) -> None:
    """Build what requests need before threads share it."""
    for part in ("keys", "jobs", "searcher", "decoder", "indexer", "uploads"):
        getattr(engine, part)


def _serve(engine: Engine) -> None:
    settings = engine.settings
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    server = make_server(create_app(engine), settings.host, settings.port, Bounds.of(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    refresher = Refresher(engine.searcher.refresh, engine.index)
    refresher.start()
    try:
        _announce(settings.host, server.port)
        server.run()
    finally:
        refresher.stop()
        engine.close()


def _announce(host: str, port: int) -> None:
    name = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"listening on http://{name}:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
