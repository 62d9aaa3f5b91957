"""/api/v1/feedback: judgements of hits that are kept."""

from __future__ import annotations

import time

from flask import Blueprint, g

from hmar.errors import NotFoundError, shown
from hmar.values.entries import EntryInfo
from hmar.values.feedback import FeedbackQuery, Judgement
from hmar.wiring import Engine
from service.models import feedback as models
from service.models.feedback import FeedbackAsked, FeedbackKept, FeedbackPage, FeedbackWanted, JudgementAsked
from service.operations.operation import operation

_UID = "1.3.6.1.4.1.14519.5.2.1.1"
_EXAMPLE = {
    "query": {"sop_instance_uid": _UID, "regions": [[305, 335, 40, 36]]},
    "judgements": [{"sop_instance_uid": f"{_UID}.7", "box": [300, 330, 64, 64], "verdict": "relevant"}],
}


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of judgements."""
    routes = Blueprint("feedback", __name__, url_prefix="/api/v1/feedback")

    @routes.post("")
    @operation(
        "keepFeedback",
        "Keep what somebody says of hits",
        tag="archive",
        gives="How many judgements were kept.",
        scope="feedback",
        description=(
            "A judgement is kept with the name of the key and the time, until one of its two frames is "
            "deleted. One of the same hit by the same key takes the place of the one before. Nothing of a "
            "query's file is kept but its digest. No search changes: refine one by its own fields."
        ),
        raises=(NotFoundError,),
        examples={FeedbackAsked.media_type: _EXAMPLE},
    )
    def keep(body: FeedbackAsked) -> FeedbackKept:
        query, now, actor = body.query.named(), time.time(), g.access.identity.name
        collection = _query_collection(engine, query)
        kept = engine.feedback.add(
            [_judgement(engine, query, collection, one, actor, now) for one in body.judgements]
        )
        return FeedbackKept(kept=kept, topic=query.topic)

    @routes.get("")
    @operation(
        "listFeedback",
        "What was said of hits",
        tag="archive",
        gives="The next judgements.",
        scope="feedback",
    )
    def listed(query: FeedbackWanted) -> FeedbackPage:
        page = engine.feedback.listed(query.after, query.limit, query.collection)
        return FeedbackPage(
            judgements=[models.Judgement.of(kept.to_dict()) for kept in page],
            next_after=page[-1].seq if page else query.after,
        )

    return routes


def _query_collection(engine: Engine, query: FeedbackQuery) -> str | None:
    """Return where the query's frame is indexed, None for a file."""
    if query.sop_instance_uid is None:
        return None
    return _entry(engine, query.sop_instance_uid, query.frame_number, None).collection


def _judgement(
    engine: Engine,
    query: FeedbackQuery,
    query_collection: str | None,
    asked: JudgementAsked,
    actor: str,
    now: float,
) -> Judgement:
    entry = _entry(engine, asked.sop_instance_uid, asked.frame_number, asked.collection)
    return Judgement(
        query,
        query_collection,
        entry.collection,
        asked.sop_instance_uid,
        asked.frame_number,
        asked.box,
        asked.verdict,
        actor,
        now,
    )


def _entry(engine: Engine, sop_instance_uid: str, frame_number: int, collection: str | None) -> EntryInfo:
    """Return the first entry of a frame; raises NotFoundError where there is none."""
    for entry in engine.catalogue.find(sop_instance_uid, engine.encoder.fingerprint, collection):
        if entry.info.frame_number == frame_number:
            return entry
    raise NotFoundError(
        f"Frame {frame_number} of instance {shown(sop_instance_uid)} is not indexed.",
        "Name frames as hits do, and a query that is no frame of the archive by its file's SHA-256.",
    )
