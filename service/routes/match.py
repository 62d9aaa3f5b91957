"""GET /api/v1/series/{series_uid}/match: two series side by side."""

from __future__ import annotations

from flask import Blueprint

from hmar.errors import LimitError, NotFoundError
from hmar.matching import match_series
from hmar.wiring import Engine
from service.models.archive import SeriesPath
from service.models.match import MatchQuery, SeriesMatch
from service.operations.operation import operation


def blueprint(engine: Engine) -> Blueprint:
    """Return the route that lays two series side by side."""
    routes = Blueprint("match", __name__, url_prefix="/api/v1")

    @routes.get("/series/<series_uid>/match")
    @operation(
        "matchSeries",
        "For each frame of a series, the frame of another that shows the same place",
        tag="archive",
        scope="search",
        gives="Frames in display order, each with the one beside it.",
        description="The codes of whole images are compared, all with all; no pixel is read.",
        raises=(NotFoundError, LimitError),
    )
    def match(path: SeriesPath, query: MatchQuery) -> SeriesMatch:
        engine.searcher.refresh()
        found = match_series(
            engine.catalogue, engine.index, engine.encoder.fingerprint, path.series_uid, query.to
        )
        return SeriesMatch.of(found.to_dict())

    return routes
