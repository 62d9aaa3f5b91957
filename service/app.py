"""The web application: an engine in, a Flask application out."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g
from flask.json.provider import DefaultJSONProvider

from hmar.serving import Serving
from hmar.wiring import Engine
from service import auditing, auth, cors, login_help, problems
from service.edge.body import Room
from service.largest import MAX_STOW_BYTES
from service.last_uses import LastUses
from service.metrics import requests
from service.metrics.figures import Metrics, Tallies
from service.metrics.shared import SharedFigures
from service.metrics.state import State
from service.narrowed import NarrowedEngine
from service.openapi.about import PROVIDER
from service.opened import OpenedFiles
from service.operations import checks
from service.outermost import outermost
from service.recorder import Recorder
from service.routes import (
    archive,
    audit,
    browse,
    changes,
    deletions,
    dicomweb_query,
    dicomweb_retrieve,
    documents,
    exports,
    feedback,
    figures,
    health,
    job_events,
    jobs,
    keys,
    labels,
    launch,
    login,
    match,
    models,
    operations,
    pacs,
    page,
    pixels,
    search,
    search_batch,
    search_groups,
    stow,
    upkeep,
    webhooks,
    why,
)
from service.security_headers import SECURITY_HEADERS
from service.streams import Streams

MAX_FORM_PARTS = 1000
OPENED = "hmar_opened"
"""Key of the opened files among the application's extensions."""
SPOOL = "hmar_spool"
"""Key of the room for large bodies among the application's extensions."""
RECORDER = "hmar_recorder"
"""Key of what hands accesses to the audit log."""
LAST_USES = "hmar_last_uses"
"""Key of what notes when keys are used."""
METRICS = "hmar_metrics"
"""Key of the figures for Prometheus."""


class _StrictJson(DefaultJSONProvider):
    """JSON with keys in insertion order; a NaN is an error here and never reaches a client."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, allow_nan=False, **kwargs)


def create_app(engine: Engine, shared: SharedFigures | None = None) -> Flask:
    """Build the application over an engine.

    Parameters
    ----------
    engine : Engine
        See :func:`hmar.wiring.build_engine`.
    shared : SharedFigures or None
        Where several web processes keep their figures; None for a process alone.
    """
    app = Flask(
        "service", static_folder="page/static", template_folder="page/templates", static_url_path="/static"
    )
    app.json = _StrictJson(app)
    app.config["MAX_CONTENT_LENGTH"] = engine.settings.max_upload_bytes
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    app.config[MAX_STOW_BYTES] = engine.settings.max_stow_bytes
    app.extensions[SPOOL] = Room(engine.spool_folder, engine.settings.min_free_mb << 20)
    app.extensions[METRICS] = metrics = Metrics(lambda: _tallies(engine), shared)
    requests.install(app, metrics, engine.tracer)
    cors.install(app, engine.settings.allowed_origins)
    if engine.settings.show_names:
        _ = engine.patient_names  # that there is no such PACS is said at the start
    app.extensions[RECORDER] = recorder = Recorder(engine.audit_log.append)
    auditing.install(app, recorder)
    app.extensions[PROVIDER] = engine.settings.identity_provider
    app.extensions[LAST_USES] = last_uses = LastUses(engine.keys)
    auth.install(app, engine.secrets.session, engine.keys, engine.sessions, last_uses, engine.tokens)
    checks.install(app)
    problems.install(app)
    files = OpenedFiles(engine, frame_bytes=engine.settings.kept_frames_mb << 19)
    app.extensions[OPENED] = files
    page.install_files(app)
    app.register_blueprint(documents.blueprint())
    app.register_blueprint(launch.blueprint())
    login_help.install(app, engine.settings.home)
    for open_to_all in (page, operations, health, login):
        app.register_blueprint(open_to_all.blueprint(engine))
    seen = NarrowedEngine(engine, lambda: g.access, lambda: _pinned(engine))
    for routes in (jobs, stow, changes, archive, labels, feedback, deletions, models, search_groups, match):
        app.register_blueprint(routes.blueprint(seen))
    app.register_blueprint(dicomweb_query.blueprint(seen))
    app.register_blueprint(job_events.blueprint(seen, Streams(engine.settings.web_streams)))
    for showing in (search, search_batch, exports, why, browse, pixels, dicomweb_retrieve):
        app.register_blueprint(showing.blueprint(seen, files))
    app.register_blueprint(figures.blueprint(metrics))
    for of_all in (webhooks, pacs, keys, audit):
        app.register_blueprint(of_all.blueprint(engine))
    app.register_blueprint(upkeep.blueprint(engine.settings))
    metrics.read_state(State(engine))
    auth.check_declared(app)
    app.after_request(_secure)
    # Flask's documentation wraps it this way.
    app.wsgi_app = outermost(app.wsgi_app)  # type: ignore[method-assign, assignment]
    return app


def _tallies(engine: Engine) -> Tallies:
    feed = engine.audit_feed
    figures = (0, 0, 0) if feed is None else feed.figures()
    return Tallies(engine.decoder.replaced, *figures)


def _pinned(engine: Engine) -> Serving:
    """Return what answers the current request, from its first use on."""
    if "serving" not in g:
        g.serving = engine.serving
    serving: Serving = g.serving
    return serving


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.cache_control.no_store = True
    return response
