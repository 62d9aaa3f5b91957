"""GET /IHEInvokeImageDisplay: the page, opened at what another program shows."""

from __future__ import annotations

from flask import Blueprint

from service.models.launch import DisplayQuery
from service.onwards import onwards, page_place
from service.operations.operation import Content, operation


def blueprint() -> Blueprint:
    """Return the route that other programs open the page by."""
    routes = Blueprint("launch", __name__)

    @routes.get("/IHEInvokeImageDisplay")
    @operation(
        "invokeDisplay",
        "Open the page at a study, series, instance or region",
        tag="page",
        gives=Content("It goes on to the page by itself.", "text/html"),
        description="An invocation of image display by IHE (IID), by study. It tells nothing of the archive, "
        "and needs no login; the page that comes next does.",
    )
    def invoke(query: DisplayQuery) -> str:
        return onwards(page_place(query.page()))

    return routes
