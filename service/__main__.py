"""``python -m service``: serve the API and the page until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys

from hmar.config import Settings
from hmar.disk import write_error
from hmar.errors import HmarError
from hmar.logs import log_to_stderr
from hmar.wiring import Engine, build_engine
from service.app import LAST_USES, METRICS, OPENED, RECORDER, create_app
from service.edge.bounds import Bounds
from service.following_model import LOOKED_EVERY_S, ModelFollower
from service.kept_frames import FORGOTTEN_EVERY_S, KeptFrames
from service.last_uses import WRITTEN_EVERY_S
from service.periodic import Periodic
from service.refresh import Refresher
from service.server import make_server

_log = logging.getLogger("hmar.service")

SWITCH_INTERVAL_S = 0.0005
"""How long a thread keeps the interpreter lock while others want it: a tenth of Python's own value, since
the event loop, which answers health, wants it a dozen times for each request."""


def main() -> int:
    """Serve; return the exit status."""
    log_to_stderr(logging.INFO, "%(asctime)s %(levelname)s %(name)s %(message)s", os.environ)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = Settings.from_environment(os.environ)
        settings.check_shared()
        engine = build_engine(settings, serving=True)
        _warm(engine)
    except HmarError as error:
        _log.error("%s", error)
        return 1
    except OSError as error:
        _log.error("%s", write_error("A file", error))
        return 1
    _serve(engine)
    return 0


def _warm(engine: Engine) -> None:
    """Build what requests need before threads share it."""
    for part in ("keys", "jobs", "audit_log", "searcher", "decoder", "indexer", "remover"):
        getattr(engine, part)


def _serve(engine: Engine) -> None:
    settings = engine.settings
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = create_app(engine)
    refused = app.extensions[METRICS].count_refusal
    server = make_server(app, settings.host, settings.port, Bounds.of(settings), refused)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    kept = KeptFrames(app.extensions[OPENED], engine.kept_maps)
    follower = ModelFollower(
        engine, lambda serving: Refresher(serving.searcher.refresh, serving.index, deleted=kept.drop_deleted)
    )
    following = Periodic("following the model", follower.look, LOOKED_EVERY_S)
    uses = Periodic("noting the use of keys", app.extensions[LAST_USES].write, WRITTEN_EVERY_S)
    forgetting = Periodic("forgetting frames", kept.forget_unused, FORGOTTEN_EVERY_S)
    recorder = app.extensions[RECORDER]
    for thread in (recorder, follower, following, uses, forgetting):
        thread.start()
    try:
        _announce(settings.host, server.port)
        server.run()
    finally:
        for thread in (forgetting, uses, following, follower, recorder):
            thread.stop()
        engine.close()


def _announce(host: str, port: int) -> None:
    name = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"listening on http://{name}:{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
