"""POST /api/v1/search/why and /api/v1/search/why/image."""

from __future__ import annotations

from flask import Blueprint, Response

from hmar.errors import DecodeError, LimitError, NotFoundError, RegionError, UnindexedError
from hmar.explaining import explain_indexed
from hmar.image.heat import overlay
from hmar.image.raster import png, render
from hmar.values.entries import EntryInfo
from hmar.values.explanations import Explanation
from hmar.wiring import Engine
from service.models.why import Why, WhyPicture, WhyQuery
from service.opened import OpenedFiles
from service.operations.operation import Content, operation
from service.routes.search import indexed

_RAISES = (NotFoundError, LimitError, DecodeError, RegionError, UnindexedError)
_UID = "1.3.6.1.4.1.14519.5.2.1.1"
_EXAMPLE = {
    "sop_instance_uid": _UID,
    "region": [305, 335, 40, 36],
    "hit": {"sop_instance_uid": f"{_UID}.2", "frame_number": 1},
}


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the routes that say why a frame is among the hits."""
    routes = Blueprint("why", __name__, url_prefix="/api/v1/search")

    @routes.post("/why")
    @operation(
        "explainHit",
        "Say why a frame was found",
        tag="search",
        scope="search",
        gives="Where the hit resembles the query, in which bits, and what that means.",
        description="Of the query, its frame and region are given as they were searched for; both frames are "
        "indexed. Without a region, the whole image is compared.",
        raises=_RAISES,
        examples={WhyQuery.media_type: _EXAMPLE},
    )
    def why(body: WhyQuery) -> Why:
        return Why.of(_explained(engine, files, body)[0].to_dict())

    @routes.post("/why/image")
    @operation(
        "drawHit",
        "Draw where a hit resembles the query",
        tag="search",
        scope="search",
        gives=Content("A frame as PNG, places coloured the more, the nearer they are.", "image/png"),
        raises=_RAISES,
        examples={WhyQuery.media_type: _EXAMPLE},
    )
    def image(query: WhyPicture, body: WhyQuery) -> Response:
        explained, asked, found = _explained(engine, files, body)
        entry, drawn = (found, explained.found) if query.of == "hit" else (asked, explained.query)
        picture = overlay(render(files.frame(entry)), drawn.distances, body.bits)
        return Response(png(picture), mimetype="image/png")

    return routes


def _explained(
    engine: Engine, files: OpenedFiles, body: WhyQuery
) -> tuple[Explanation, EntryInfo, EntryInfo]:
    """Return why the hit was found, and the entries of the query's frame and of the hit."""
    asked = indexed(engine, body.sop_instance_uid, body.frame_number, body.query_collection)[0]
    found = indexed(engine, body.hit.sop_instance_uid, body.hit.frame_number, body.hit.collection)[0]
    engine.searcher.refresh()
    explained = explain_indexed(
        engine.encoder, engine.codes, files.frame(asked), body.region, asked, found, body.bits
    )
    return explained, asked, found
