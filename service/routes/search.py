"""POST /api/v1/search/image and /api/v1/search/region."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint

from hmar.errors import (
    DecodeError,
    LimitError,
    NotFoundError,
    ParameterError,
    RegionError,
    UnindexedError,
    shown,
)
from hmar.stages import stage
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, ImageFile
from hmar.values.selection import Selection
from hmar.wiring import Engine
from service.cursors import Cursors
from service.errors import CursorError
from service.metrics.requests import count_query
from service.models.search_answer import Answer
from service.models.search_request import (
    ImageQuery,
    ImageUpload,
    IndexedFrame,
    RegionQuery,
    RegionUpload,
    SearchOptions,
    SentFrame,
)
from service.opened import OpenedFiles
from service.operations.operation import operation

_RAISES = (CursorError, NotFoundError, LimitError, DecodeError, UnindexedError)
_UID = "1.3.6.1.4.1.14519.5.2.1.1"


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the search routes."""
    routes = Blueprint("search", __name__, url_prefix="/api/v1/search")

    @routes.post("/image")
    @operation(
        "searchImage",
        "Find frames like a whole image",
        tag="search",
        gives="Hits, nearest first.",
        scope="search",
        raises=_RAISES,
        examples={ImageQuery.media_type: {"sop_instance_uid": _UID, "frame_number": 1, "k": 5}},
    )
    def image(body: ImageQuery | ImageUpload) -> Answer:
        return _answer(engine, files, body, body)

    @routes.post("/region")
    @operation(
        "searchRegion",
        "Find frames that hold something like a region of an image, or several regions",
        tag="search",
        gives="Hits, nearest first.",
        scope="search",
        description="A region lies inside the image and has at least one pixel on each side. Several regions "
        "of one frame are searched for together: a frame's local distance is the mean over them of its "
        "distance to each.",
        raises=(*_RAISES, RegionError),
        examples={RegionQuery.media_type: {"sop_instance_uid": _UID, "region": [305, 335, 40, 36], "k": 10}},
    )
    def region(body: RegionQuery | RegionUpload) -> Answer:
        return _answer(engine, files, body, body)

    return routes


def frame_of(file: ImageFile, frame_number: int) -> Frame:
    """Decode one frame of an opened file; raises ParameterError for a number that it does not have."""
    check_frame(file, frame_number)
    return file.frame(frame_number)


def check_frame(file: ImageFile, frame_number: int) -> None:
    """Raise ParameterError for a frame that a file does not have."""
    count = len(file.infos)
    if not 1 <= frame_number <= count:
        raise ParameterError(f"Frame {frame_number} was asked for.", f"Give a frame from 1 to {count}.")


def indexed(
    engine: Engine, sop_instance_uid: str, frame_number: int, collection: str | None = None
) -> list[EntryInfo]:
    """Return the entries of an indexed frame, one per collection that holds it; raises NotFoundError."""
    with stage("catalogue"):
        found = engine.catalogue.find(sop_instance_uid, engine.encoder.fingerprint, collection)
    entries = [entry for entry in found if entry.info.frame_number == frame_number]
    if not entries:
        engine.searcher.require_indexed(Selection())
        raise _not_indexed(sop_instance_uid, frame_number, collection)
    return entries


def queried(
    engine: Engine, sop_instance_uid: str, frame_number: int, collection: str | None
) -> tuple[EntryInfo, frozenset[int]]:
    """Return the entry of an indexed frame that is the query, and the ids of all that are the query itself.

    An instance that several collections hold is one image, which is not among its own hits; its entry is that
    of the collection named, or the first. Raises NotFoundError.
    """
    entries = indexed(engine, sop_instance_uid, frame_number)
    named = [entry for entry in entries if collection in (None, entry.collection)]
    if not named:
        raise _not_indexed(sop_instance_uid, frame_number, collection)
    return named[0], frozenset(entry.entry_id for entry in entries)


def _not_indexed(sop_instance_uid: str, frame_number: int, collection: str | None) -> NotFoundError:
    where = "" if collection is None else f" in the collection {shown(collection)}"
    return NotFoundError(
        f"Frame {frame_number} of instance {shown(sop_instance_uid)} is not indexed{where}.",
        "Index it first (POST /api/v1/index-jobs), or send the file itself.",
    )


def _answer(engine: Engine, files: OpenedFiles, what: IndexedFrame | SentFrame, how: SearchOptions) -> Answer:
    started = time.perf_counter()
    cursors = Cursors(engine.secrets.session, engine.searcher.mark_at, engine.encoder.fingerprint)
    page = cursors.page(how)
    frame, own = _query_frame(engine, files, what)
    selection = replace(how.selection(), exclude=own)
    selection = engine.searcher.without(selection, how.exclusion, frame.info)
    results = engine.searcher.answer(
        frame, how.searched_regions, how.k, how.mode, selection, how.bits, page, how.judged, how.search
    )
    count_query(results)
    results = engine.links.on(results)
    told = replace(results, took_ms=(time.perf_counter() - started) * 1000).to_dict()
    return Answer.of({**told, "next": cursors.following(how, results.following)})


def _query_frame(
    engine: Engine, files: OpenedFiles, what: IndexedFrame | SentFrame
) -> tuple[Frame, frozenset[int]]:
    """Return the query frame, and the entries that are the query itself."""
    if isinstance(what, SentFrame):
        with stage("read"):
            file = engine.decoder.open(what.file, first_frame=what.frame == 1)
            return frame_of(file, what.frame), frozenset()
    query, own = queried(engine, what.sop_instance_uid, what.frame_number, what.query_collection)
    with stage("read"):
        return files.frame(query), own
