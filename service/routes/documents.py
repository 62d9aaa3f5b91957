"""The description of the API, and a page that shows it: Swagger UI, from the files of its package alone."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from io import BytesIO

from flask import Blueprint, Response, current_app, render_template, request, send_file

from hmar.errors import NotFoundError, shown
from service.models.files import FilePath
from service.openapi.document import document
from service.operations.operation import Content, operation
from service.routes.page import FILE_ANSWERS, NO_LOGIN
from service.security_headers import SHOWS_PICTURES

_TAG = "description"
ROOTS = 4
"""Paths below which proxies have the product, of which the document is kept."""
SHOWN_BY = ("swagger-ui-bundle.js", "swagger-ui.css")
"""What the package has that the page needs; nothing else of it is served."""


def blueprint() -> Blueprint:
    """Return the routes of the description."""
    routes = Blueprint("documents", __name__)

    @lru_cache(ROOTS)
    def written(root: str) -> str:
        return json.dumps({**document(current_app), "servers": [{"url": root or "/"}]}, indent=1)

    @routes.get("/openapi.json")
    @operation(
        "readDescription",
        "This document",
        tag=_TAG,
        gives=Content("OpenAPI 3.1.", "application/json"),
        scope="any",
    )
    def openapi() -> Response:
        return Response(written(request.script_root), mimetype="application/json")

    @routes.get("/api/v1/openapi.yaml")
    @operation(
        "readSpecification",
        "This document for readers of YAML, of which JSON is a part",
        tag=_TAG,
        gives=Content("OpenAPI 3.1.", "application/yaml"),
        scope="any",
    )
    def specification() -> Response:
        return Response(written(request.script_root), mimetype="application/yaml")

    @routes.get("/docs")
    @operation(
        "showDescription",
        "A page that shows this document, and can try its operations",
        tag=_TAG,
        gives=Content("The page.", "text/html"),
        scope="any",
        also={401: NO_LOGIN},
    )
    def docs() -> Response:
        return Response(render_template("docs.html"), headers=SHOWS_PICTURES, mimetype="text/html")

    @routes.get("/docs/<filename>")
    @operation(
        "readDescriptionFile",
        "A script or style of that page",
        tag=_TAG,
        gives=Content("The file.", "*/*"),
        scope="any",
        also=FILE_ANSWERS,
        raises=(NotFoundError,),
    )
    def file(path: FilePath) -> Response:
        if path.filename not in SHOWN_BY:
            raise NotFoundError(
                f"There is no file {shown(path.filename)}.", f"Ask for {', '.join(SHOWN_BY)}."
            )
        content, digest = shipped(path.filename)
        return send_file(BytesIO(content), download_name=path.filename, etag=digest)

    return routes


@cache
def shipped(name: str) -> tuple[bytes, str]:
    """Return a file of Swagger UI, and its digest."""
    content = (files("flask_swagger_ui") / "dist" / name).read_bytes()
    return content, sha256(content).hexdigest()
