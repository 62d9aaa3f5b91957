"""The pages of operations: a shell each, which a module of its own fills by the API."""

from __future__ import annotations

from flask import Blueprint, render_template

from hmar.errors import NotFoundError, shown
from hmar.wiring import Engine
from service.models.operations import PARTS, PartPath
from service.operations.operation import Content, operation
from service.routes.page import NO_LOGIN


def blueprint(engine: Engine) -> Blueprint:
    """Return the pages of operations."""
    routes = Blueprint("operations", __name__)

    @routes.get("/operations/<part>")
    @operation(
        "showOperations",
        "A page of operations",
        tag="page",
        gives=Content("It.", "text/html"),
        scope="any",
        also={401: NO_LOGIN},
        raises=(NotFoundError,),
    )
    def show(path: PartPath) -> str:
        if path.part not in PARTS:
            raise NotFoundError(f"There is no page {shown(path.part)}.", f"Open one of {', '.join(PARTS)}.")
        model = {"model": engine.encoder.name, "fingerprint": engine.encoder.fingerprint}
        return render_template(f"operations/{path.part}.html", parts=PARTS, part=path.part, **model)

    return routes
