"""POST /api/v1/exports: hits as DICOM documents, sent or given to a PACS."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from flask import Blueprint, Response

from hmar.errors import DecodeError, LimitError, NotFoundError, RegionError, UnindexedError
from hmar.stages import stage
from hmar.values.exports import Documents
from hmar.wiring import Engine
from service.metrics.requests import count_query
from service.models.exports import Export, ExportHeaders, ExportQuery
from service.models.given import Headers
from service.opened import OpenedFiles
from service.operations.operation import Content, operation
from service.routes.search import queried

MEDIA_TYPE = "application/zip"
_SOME_REFUSED = 207
_STORED = 201
_UID = "1.3.6.1.4.1.14519.5.2.1.1"


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the route that exports hits."""
    routes = Blueprint("exports", __name__, url_prefix="/api/v1")

    @routes.post("/exports")
    @operation(
        "exportHits",
        "Search with an indexed frame, and tell the hits as DICOM of the frame's study",
        tag="search",
        gives=Content("The documents, as files of a ZIP.", MEDIA_TYPE, headers=ExportHeaders),
        scope="export",
        description="The documents name the patient as the frame's file does: structured report, key object "
        "selection and picture, for research use and unverified. With `to` they are stored to that PACS, and "
        "not sent. The same export again has the same UIDs.",
        also={
            _STORED: Content("The PACS took all of them.", "application/json", Export),
            _SOME_REFUSED: Content("The PACS refused some, or all.", "application/json", Export),
        },
        raises=(NotFoundError, LimitError, DecodeError, UnindexedError, RegionError),
        examples={
            ExportQuery.media_type: {
                "sop_instance_uid": _UID,
                "region": [305, 335, 40, 36],
                "exclude": {"same": "instance"},
                "kinds": ["sr", "picture"],
                "to": "main",
            }
        },
    )
    def export(body: ExportQuery) -> Response | tuple[Export, Headers, int]:
        if body.to is not None:
            engine.pacs.require(body.to)
        made = _documents(engine, files, body)
        if body.to is None:
            return _sent(made)
        stored = engine.exporter.store(body.to, made)
        return Export.of(stored.to_dict()), Headers(), _STORED if stored.complete else _SOME_REFUSED

    return routes


def _documents(engine: Engine, files: OpenedFiles, body: ExportQuery) -> Documents:
    query, own = queried(engine, body.sop_instance_uid, body.frame_number, body.query_collection)
    with stage("read"):
        frame = files.frame(query)
    selection = replace(body.selection(), exclude=own)
    selection = engine.searcher.without(selection, body.exclusion, frame.info)
    results = engine.searcher.answer(
        frame,
        body.searched_regions,
        body.k,
        body.mode,
        selection,
        body.bits,
        judged=body.judged,
        search=body.search,
    )
    count_query(results)
    return engine.exporter.documents(query, results, body.kinds, body.chosen)


def _sent(made: Documents) -> Response:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in made.documents:
            archive.writestr(document.name, document.data)
    told = ExportHeaders(hits=made.hits, other_patients=made.other_patients, unreadable=made.unreadable)
    response = Response(packed.getvalue(), mimetype=MEDIA_TYPE, headers=told.fields())
    response.headers["Content-Disposition"] = 'attachment; filename="hits.zip"'
    return response
