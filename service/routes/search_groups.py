"""POST /api/v1/search/series and /api/v1/search/study."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint

from hmar.errors import NotFoundError, UnindexedError
from hmar.groups import frames_of_group
from hmar.values.groups import GroupLevel
from hmar.values.selection import Selection
from hmar.wiring import Engine
from service.cursors import Cursors
from service.errors import CursorError
from service.models.group_search import GroupAnswer, GroupOptions, SeriesQuery, StudyQuery
from service.operations.operation import operation

_DESCRIPTION = (
    "The codes of indexed frames are in the index: no pixel is read and nothing is encoded again. The answer "
    "is exact."
)
_UID = "1.3.6.1.4.1.14519.5.2.1.1"


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes that search with a series or study."""
    routes = Blueprint("search_groups", __name__, url_prefix="/api/v1/search")

    @routes.post("/series")
    @operation(
        "searchSeries",
        "Find series like an indexed one",
        tag="search",
        scope="search",
        gives="Series, nearest first.",
        description=_DESCRIPTION,
        raises=(CursorError, NotFoundError, UnindexedError),
        examples={SeriesQuery.media_type: {"series_uid": _UID, "k": 5}},
    )
    def series(body: SeriesQuery) -> GroupAnswer:
        return _answer(engine, "series", body.series_uid, body)

    @routes.post("/study")
    @operation(
        "searchStudies",
        "Find studies like an indexed one",
        tag="search",
        scope="search",
        gives="Studies, nearest first.",
        description=_DESCRIPTION,
        raises=(CursorError, NotFoundError, UnindexedError),
        examples={StudyQuery.media_type: {"study_uid": _UID, "k": 5}},
    )
    def study(body: StudyQuery) -> GroupAnswer:
        return _answer(engine, "study", body.study_uid, body)

    return routes


def _answer(engine: Engine, level: GroupLevel, uid: str, how: GroupOptions) -> GroupAnswer:
    started = time.perf_counter()
    cursors = Cursors(engine.secrets.session, engine.searcher.mark_at, engine.encoder.fingerprint)
    page = cursors.page(how)
    as_of = None if page is None else page.as_of
    engine.searcher.require_indexed(Selection())
    frames = frames_of_group(engine.catalogue, engine.encoder.fingerprint, level, uid, as_of)
    selection = engine.searcher.without(how.selection(), how.exclusion, frames[0].info)
    results = engine.searcher.group(
        level, frames, how.k, how.mode, selection, how.bits, how.aggregation, page
    )
    told = replace(results, took_ms=(time.perf_counter() - started) * 1000).to_dict()
    return GroupAnswer.of({**told, "next": cursors.following(how, results.following)})
