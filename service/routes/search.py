"""POST /api/v1/search/image and /api/v1/search/region."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hmar.errors import NotFoundError, ParameterError, shown
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, ImageFile
from hmar.wiring import Engine
from service.opened import OpenedFiles
from service.queries import SearchRequest, read_search


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the search routes."""
    routes = Blueprint("search", __name__, url_prefix="/api/v1/search")

    @routes.post("/image")
    def image() -> ResponseReturnValue:
        return jsonify(_answer(engine, files, read_search(request, with_region=False)))

    @routes.post("/region")
    def region() -> ResponseReturnValue:
        return jsonify(_answer(engine, files, read_search(request, with_region=True)))

    return routes


def frame_of(file: ImageFile, frame_number: int) -> Frame:
    """Decode one frame of an opened file; raises ParameterError for a number that it does not have."""
    count = len(file.infos)
    if not 1 <= frame_number <= count:
        raise ParameterError(f"Frame {frame_number} was asked for.", f"Give a frame from 1 to {count}.")
    return file.frame(frame_number)


def indexed(engine: Engine, sop_instance_uid: str, frame_number: int) -> list[EntryInfo]:
    """Return the entries of an indexed frame, one per collection that holds it; raises NotFoundError."""
    found = engine.catalogue.find(sop_instance_uid, engine.encoder.fingerprint)
    entries = [entry for entry in found if entry.info.frame_number == frame_number]
    if not entries:
        raise NotFoundError(
            f"Frame {frame_number} of instance {shown(sop_instance_uid)} is not indexed.",
            "Index it first (POST /api/v1/index-jobs), or send the file itself.",
        )
    return entries


def _answer(engine: Engine, files: OpenedFiles, asked: SearchRequest) -> dict[str, object]:
    started = time.perf_counter()
    frame, own = _query_frame(engine, files, asked)
    selection = replace(asked.selection, exclude=own)
    if asked.exclude_same is not None:
        selection = engine.searcher.excluding(selection, frame.info, asked.exclude_same)
    results = engine.searcher.answer(frame, asked.region, asked.k, asked.mode, selection, asked.bits)
    return replace(results, took_ms=(time.perf_counter() - started) * 1000).to_dict()


def _query_frame(engine: Engine, files: OpenedFiles, asked: SearchRequest) -> tuple[Frame, frozenset[int]]:
    """Return the query frame, and the entries that are the query itself."""
    if asked.upload is not None:
        file = engine.decoder.open(asked.upload, first_frame=asked.frame_number == 1)
        return frame_of(file, asked.frame_number), frozenset()
    entries = indexed(engine, str(asked.sop_instance_uid), asked.frame_number)
    return files.frame(entries[0]), frozenset(entry.entry_id for entry in entries)
