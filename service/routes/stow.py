"""POST /dicom-web/studies: instances are pushed by STOW-RS (PS3.18 10.5)."""

from __future__ import annotations

import json

from flask import Blueprint, Response, g, request

from hmar.indexing.receiving import Receiver
from hmar.spool import STOW
from hmar.values.received import Received
from hmar.wiring import Engine
from service.accepting import DICOM_JSON, JSON, JSON_FORMS, chosen_form
from service.errors import MalformedRequestError, MediaTypeError, NotAcceptableError
from service.models.holdings import StudyPath
from service.models.stow import Instances, StowAnswer, StowQuery
from service.operations.operation import Content, operation
from service.readers.related import RelatedParts

MAX_INSTANCES = 10_000
"""Of one request: their answer is held until it is sent."""
_ALSO = {
    202: Content("Some of the instances were taken.", DICOM_JSON, StowAnswer, also_as=(JSON,)),
    409: Content("None of the instances was taken.", DICOM_JSON, StowAnswer, also_as=(JSON,)),
}
_DESCRIPTION = (
    "Each part is a DICOM file. What is taken is on the disk, and a file of an index job. Each instance is "
    "in Referenced SOP Sequence (00081199), or in Failed SOP Sequence (00081198) with a reason: 290 it is "
    "no image, 42752 no room, 43264 another study, 49152 it cannot be read, 49442 a compression that is "
    "not decoded."
)


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes that instances are pushed to."""
    routes = Blueprint("stow", __name__, url_prefix="/dicom-web")

    @routes.post("/studies")
    @operation(
        "storeInstances",
        "Store instances of any studies (STOW-RS)",
        tag="dicomweb",
        gives=Content("All instances were taken.", DICOM_JSON, StowAnswer, also_as=(JSON,)),
        scope="index",
        description=_DESCRIPTION,
        also=_ALSO,
        raises=(MediaTypeError, NotAcceptableError),
    )
    def store(query: StowQuery, body: Instances) -> Response:
        return _stored(engine, query.collection, body.parts, None)

    @routes.post("/studies/<study_uid>")
    @operation(
        "storeStudyInstances",
        "Store instances of one study (STOW-RS)",
        tag="dicomweb",
        gives=Content("All instances were taken.", DICOM_JSON, StowAnswer, also_as=(JSON,)),
        scope="index",
        description=_DESCRIPTION,
        also=_ALSO,
        raises=(MediaTypeError, NotAcceptableError),
    )
    def store_of_study(path: StudyPath, query: StowQuery, body: Instances) -> Response:
        return _stored(engine, query.collection, body.parts, path.study_uid)

    return routes


def _stored(engine: Engine, collection: str, parts: RelatedParts, study_uid: str | None) -> Response:
    form = chosen_form(request.headers.get("Accept"), JSON_FORMS)
    g.access.require_collection(collection)
    receiver = Receiver(
        engine.spool,
        engine.decoder.identify,
        engine.settings.max_file_bytes,
        engine.disk.check,
        STOW,
    )
    received: list[Received] = []
    with receiver.kept() as kept:
        for part in parts:
            if len(received) == MAX_INSTANCES:
                raise MalformedRequestError(
                    f"The body has more than {MAX_INSTANCES} parts.", "Send the rest in further requests."
                )
            received.append(receiver.receive(collection, part, study_uid, kept))
        if not received:
            raise MalformedRequestError("The body has no part.", "Send one DICOM file in each part.")
    if kept:
        # Where this fails they stay in the spool, for a sweep: some may be stored already, and need a job.
        engine.intake.take(collection, kept)
    g.access.touched.update(
        ("study", one.instance.study_uid)
        for one in received
        if one.instance is not None and one.failure is None
    )
    answer = StowAnswer.of_all(received)
    return Response(json.dumps(answer.to_json()), answer.status, content_type=form.media_type)
