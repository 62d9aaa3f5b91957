"""One web process, from its settings to its end."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace

from hmar.config import Settings
from hmar.disk import writing
from hmar.wiring import Engine, build_engine
from service.app import LAST_USES, METRICS, OPENED, RECORDER, create_app
from service.edge.bounds import Bounds
from service.edge.known import shared_memory
from service.edge.listening import listen_at
from service.following_model import LOOKED_EVERY_S, ModelFollower
from service.kept_frames import FORGOTTEN_EVERY_S, KeptFrames
from service.last_uses import WRITTEN_EVERY_S
from service.metrics.shared import SharedFigures
from service.periodic import Periodic
from service.processes.place import Place
from service.refresh import Refresher
from service.sending import Sending
from service.server import server_on
from service.upkeep import Upkeep
from service.watching import Watching

SWITCH_INTERVAL_S = 0.0005
"""How long a thread keeps the interpreter lock while others want it: a tenth of Python's own value, since
the event loop, which answers health, wants it a dozen times for each request."""
COUNTED_EVERY_S = 5.0
"""How often a process among several adds what its decoders count to the figures of all."""


def serve(settings: Settings, place: Place | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status.

    Parameters
    ----------
    settings : Settings
    place : Place or None
        Of this process among several; None for one alone, which listens itself.

    Raises
    ------
    HmarError
        If it cannot start.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    known = figures = None
    if place is not None:
        settings = with_its_share(settings, os.cpu_count() or 1)
        known = shared_memory(place.limits_file, place.number, place.processes)
        figures = SharedFigures(place.folder, place.number)
    with writing("A file"):
        engine = build_engine(settings, serving=True)
        _warm(engine)
    app = create_app(engine, figures)
    refused = app.extensions[METRICS].count_refusal
    sockets = listen_at(settings) if place is None else place.sockets()
    server = server_on(sockets, app, Bounds.of(settings), refused, known)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    kept = KeptFrames(app.extensions[OPENED], engine.kept_maps)
    follower = ModelFollower(
        engine, lambda serving: Refresher(serving.searcher.refresh, serving.index, deleted=kept.drop_deleted)
    )
    following = Periodic("following the model", follower.look, LOOKED_EVERY_S, at_end=False)
    uses = Periodic("noting the use of keys", app.extensions[LAST_USES].write, WRITTEN_EVERY_S)
    forgetting = Periodic("forgetting frames", kept.forget_unused, FORGOTTEN_EVERY_S)
    counting = Periodic("counting figures", app.extensions[METRICS].count_tallies, COUNTED_EVERY_S)
    recorder = app.extensions[RECORDER]
    sending = Sending(engine.webhook_sender.send_due)
    upkeep, watching = Upkeep(settings), Watching(engine)
    for thread in (recorder, follower, following, uses, forgetting, counting, sending, upkeep, watching):
        thread.start()
    try:
        if figures is not None:
            figures.enter()
        _announce(settings.host, server.port)
        server.run()
    finally:
        for thread in (watching, upkeep, sending, counting, forgetting, uses, following, follower, recorder):
            thread.stop()
        engine.close()
    return 0


def with_its_share(settings: Settings, cores: int) -> Settings:
    """Return the settings of one of several web processes, whose threads together do not exceed the cores."""
    share = max(1, cores // settings.web_processes)
    return replace(
        settings,
        scan_threads=min(settings.scan_threads, share),
        encoder_threads=min(settings.encoder_threads, share),
    )


def _warm(engine: Engine) -> None:
    """Build what requests need before threads share it."""
    for part in ("keys", "tokens", "jobs", "audit_log", "searcher", "decoder", "indexer", "remover"):
        getattr(engine, part)


def _announce(host: str, port: int) -> None:
    name = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"listening on http://{name}:{port}\n")
    sys.stdout.flush()
