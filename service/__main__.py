"""``python -m service``: serve the API and the page with waitress until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType

from hmar.config import Settings
from hmar.errors import HmarError
from hmar.wiring import Engine, build_engine
from service.app import OPENED, create_app
from service.refresh import Refresher
from service.server import make_server

_log = logging.getLogger("hmar.service")


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
    for part in ("keys", "jobs", "searcher", "decoder", "indexer", "remover"):
        getattr(engine, part)


def _serve(engine: Engine) -> None:
    settings = engine.settings
    app = create_app(engine)
    server = make_server(app, settings.host, settings.port, settings.web_threads)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    refresher = Refresher(engine.searcher.refresh, engine.index, deleted=app.extensions[OPENED].drop_deleted)
    refresher.start()
    try:
        _announce(settings.host, server)
        server.run()
    finally:
        server.close()
        refresher.stop()
        engine.close()


def _announce(host: str, server: object) -> None:
    listening = getattr(server, "effective_listen", None) or [(host, getattr(server, "effective_port", 0))]
    name = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"listening on http://{name}:{listening[0][1]}\n")
    sys.stdout.flush()


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End waitress's loop, which closes its threads on SystemExit."""
    raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
