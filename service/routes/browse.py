"""Browsing: the page, its lists of series and frames, and frames as PNG."""

from __future__ import annotations

import time

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from hmar.errors import NotFoundError, shown
from hmar.image.raster import png, render
from hmar.values.frames import Frame, Units
from hmar.wiring import Engine
from service.opened import OpenedFiles
from service.readers.form import form_with_file
from service.readers.query import takes_query
from service.routes.search import frame_of, indexed
from service.schemas import collection_of, display_window, whole_number, window_units
from service.specification import specification

IMAGE_AGE_S = 3600
"""A picture is decoded again after this long: the file of its frame may hold another image by now."""


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the page and the routes that it browses by."""
    routes = Blueprint("browse", __name__)

    @routes.get("/")
    def page() -> ResponseReturnValue:
        return render_template("index.html", model=engine.encoder.name)

    @routes.get("/api/v1/openapi.yaml")
    def openapi() -> ResponseReturnValue:
        return Response(specification(), mimetype="application/yaml")

    @routes.get("/api/v1/series")
    @takes_query("collection")
    def series() -> ResponseReturnValue:
        collection = collection_of(request.args, None)
        listed = engine.catalogue.series(engine.encoder.fingerprint)
        wanted = [one for one in listed if collection is None or one.collection == collection]
        return jsonify(series=[one.to_dict() for one in wanted])

    @routes.get("/api/v1/series/<series_uid>/frames")
    @takes_query("collection")
    def frames(series_uid: str) -> ResponseReturnValue:
        collection = collection_of(request.args, None) or _collection_of_series(engine, series_uid)
        entries = engine.catalogue.frames(collection, series_uid, engine.encoder.fingerprint)
        if not entries:
            raise _unknown_series(series_uid)
        return jsonify(
            series_uid=series_uid, collection=collection, frames=[entry.to_dict() for entry in entries]
        )

    @routes.get("/api/v1/instances/<sop_instance_uid>/frames/<int:frame_number>/image")
    @takes_query("centre", "width", "units")
    def image(sop_instance_uid: str, frame_number: int) -> ResponseReturnValue:
        window, units = display_window(request.args), window_units(request.args)
        entry = indexed(engine, sop_instance_uid, frame_number)[0]
        tag = f"{entry.entry_id}-{int(time.time()) // IMAGE_AGE_S}"
        if request.if_none_match.contains(tag):
            return _kept(Response(status=304), tag)
        return _kept(_picture(files.frame(entry), window, units), tag)

    @routes.post("/api/v1/render")
    def preview() -> ResponseReturnValue:
        fields, data = form_with_file(request, ("frame", "centre", "width", "units"))
        window, units = display_window(fields), window_units(fields)
        frame_number = whole_number(fields, "frame", 1, 1, 1_000_000)
        file = engine.decoder.open(data, first_frame=frame_number == 1)
        response = _picture(frame_of(file, frame_number), window, units)
        response.headers["X-HMAR-Frames"] = str(len(file.infos))
        return response

    return routes


def _kept(response: Response, tag: str) -> Response:
    """Let the browser keep a picture, and ask each time: the frame may have been deleted."""
    response.set_etag(tag)
    response.cache_control.private = True
    response.cache_control.no_cache = True
    return response


def _picture(frame: Frame, window: tuple[float, float] | None, units: Units | None) -> Response:
    """Return a frame as PNG; headers say what a viewer needs to measure and to set the display window.

    A window meant in other units than the frame's is not used: CT studies hold localizers, not in HU.
    """
    info = frame.info
    if units not in (None, frame.units):
        window = None
    response = Response(png(render(frame, window)), mimetype="image/png")
    response.headers["X-HMAR-Rows"] = str(info.rows)
    response.headers["X-HMAR-Columns"] = str(info.columns)
    response.headers["X-HMAR-Units"] = frame.units.value
    if frame.units_note is not None:
        response.headers["X-HMAR-Units-Note"] = frame.units_note
    if info.spacing is not None:
        response.headers["X-HMAR-Spacing"] = f"{info.spacing.row_mm:.6g},{info.spacing.column_mm:.6g}"
    shown_window = window or frame.display_window
    if shown_window is not None and (window is not None or frame.units is Units.HU):
        response.headers["X-HMAR-Window"] = f"{shown_window[0]:.6g},{shown_window[1]:.6g}"
    return response


def _collection_of_series(engine: Engine, series_uid: str) -> str:
    for series in engine.catalogue.series(engine.encoder.fingerprint):
        if series.series_uid == series_uid:
            return series.collection
    raise _unknown_series(series_uid)


def _unknown_series(series_uid: str) -> NotFoundError:
    return NotFoundError(
        f"Series {shown(series_uid)} is not indexed.", "See GET /api/v1/series for those that are."
    )
