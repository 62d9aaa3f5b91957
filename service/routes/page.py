"""The page, and the files that it is made of."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask, Response, g, render_template

from hmar.errors import ConfigError
from hmar.values.identity import SCOPES, Identity
from hmar.wiring import Engine
from service.login_handles import handle_of
from service.models.files import FilePath
from service.models.launch import PageQuery
from service.models.problem import Problem
from service.operations.operation import Content, operation

_TAG = "page"
NO_LOGIN = Content("Nobody is logged in; the page says how to.", "text/html")
FILE_ANSWERS = {
    206: Content("The part of the file that Range names.", "*/*"),
    304: Content("The file that If-None-Match or If-Modified-Since names is still the same."),
    416: Content("The file has no such part.", "application/problem+json", Problem),
}


def blueprint(engine: Engine) -> Blueprint:
    """Return the page."""
    routes = Blueprint("page", __name__)

    @routes.get("/")
    @operation(
        "showPage",
        "The page",
        tag=_TAG,
        gives=Content("It.", "text/html"),
        scope="any",
        also={401: NO_LOGIN},
        description="Its query names what it opens at. Links of other sites: GET /IHEInvokeImageDisplay.",
    )
    def page(query: PageQuery) -> str:  # noqa: ARG001 - the page itself reads it
        identity: Identity = g.access.identity
        return render_template(
            "index.html",
            model=engine.encoder.name,
            scopes=[scope for scope in SCOPES if identity.may(scope)],
            pacs=_pacs(engine) if identity.may("export") else (),
            names=engine.settings.show_names if identity.may("names") else "",
            login=handle_of(identity, engine.secrets.session),
        )

    return routes


def _pacs(engine: Engine) -> Sequence[str]:
    """Return where hits can be sent; nowhere while that cannot be told, for the page needs no PACS."""
    try:
        return engine.pacs.names()
    except ConfigError:
        return ()


def install_files(app: Flask) -> None:
    """Declare Flask's own route of static files."""

    @operation(
        "readFile",
        "A script, style or picture of the page",
        tag=_TAG,
        gives=Content("The file.", "*/*"),
        also={**FILE_ANSWERS, 404: Content("There is no such file.", "application/problem+json", Problem)},
    )
    def static(path: FilePath) -> Response:
        return app.send_static_file(path.filename)

    app.view_functions["static"] = static
