"""POST /api/v1/search/batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from flask import Blueprint

from hmar.batch import answer_batch
from hmar.errors import InputError
from hmar.stages import stage
from hmar.values.frames import Frame
from hmar.values.outline import Region
from hmar.values.results import Results
from hmar.values.selection import Selection
from hmar.wiring import Engine
from service.metrics.requests import count_query
from service.models.search_answer import Answer
from service.models.search_batch import Batch, BatchAnswer, BatchItem, BatchQuery
from service.opened import OpenedFiles
from service.operations.operation import operation
from service.problems import problem_given
from service.routes.search import queried

_Named = tuple[str, int, str | None]
"""A frame, and the collection that is meant."""
_UID = "1.3.6.1.4.1.14519.5.2.1.1"
_QUERIES = [{"sop_instance_uid": _UID}, {"sop_instance_uid": _UID, "region": [305, 335, 40, 36]}]


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the route that answers several searches at once."""
    routes = Blueprint("search_batch", __name__, url_prefix="/api/v1/search")

    @routes.post("/batch")
    @operation(
        "searchBatch",
        "Answer several searches at once",
        tag="search",
        scope="search",
        gives="An answer or a problem for each query, in their order.",
        description="A query that cannot be answered does not end the others. Queries of the same frame "
        "share its pixels and its feature map.",
        examples={Batch.media_type: {"queries": _QUERIES, "k": 5}},
    )
    def batch(body: Batch) -> BatchAnswer:
        started = time.perf_counter()
        found = answer_batch(
            [(_named(one), one.searched_regions) for one in body.queries],
            partial(_opened, engine, files, body),
            partial(_answers, engine, body),
        )
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        return BatchAnswer(answers=list(map(_item, found)), took_ms=took_ms)

    return routes


def _named(query: BatchQuery) -> _Named:
    return query.sop_instance_uid, query.frame_number, query.query_collection


def _opened(engine: Engine, files: OpenedFiles, how: Batch, named: _Named) -> tuple[Frame, Selection]:
    query, own = queried(engine, *named)
    with stage("read"):
        frame = files.frame(query)
    selection = replace(how.selection(), exclude=own)
    selection = engine.searcher.without(selection, how.exclusion, frame.info)
    return frame, selection


def _answers(
    engine: Engine, how: Batch, frame: Frame, selection: Selection, asked: Sequence[Sequence[Region]]
) -> list[Results]:
    answers = engine.searcher.answers(frame, asked, how.k, how.mode, selection, how.bits, how.search)
    for results in answers:
        count_query(results)
    return list(map(engine.links.on, answers))


def _item(found: Results | InputError) -> BatchItem:
    if isinstance(found, InputError):
        return BatchItem(answer=None, problem=problem_given(found))
    return BatchItem(answer=Answer.of({**found.to_dict(), "next": None}), problem=None)
