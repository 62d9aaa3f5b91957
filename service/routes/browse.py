"""Browsing: the series and frames of the archive, and frames as PNG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flask import Blueprint, Response, request
from numpy.typing import NDArray

from hmar.errors import DecodeError, LimitError, NotFoundError, RegionError, shown
from hmar.image.outlines import outlined
from hmar.image.raster import png, render
from hmar.image.regions import check_box
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo
from hmar.values.frames import Frame, Units
from hmar.values.geometry import Box
from hmar.wiring import Engine
from service.kept_answers import kept, tag_of
from service.listing import listed_series
from service.models.archive import CollectionQuery, FrameList, SeriesList, SeriesPath
from service.models.archive import Frame as ListedFrame
from service.models.pictures import (
    DisplayWindow,
    FramePath,
    KeptHeaders,
    Picture,
    PictureHeaders,
    RenderedHeaders,
    RenderForm,
    SeriesPicture,
)
from service.opened import OpenedFiles
from service.operations.operation import Content, operation
from service.routes.search import frame_of, indexed

_TAG = "archive"
_PICTURE = "8-bit grey PNG of the frame's size."
_DRAWN = "PNG: 8-bit grey, or RGB where boxes are drawn; of the frame's size, unless another is asked for."


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the routes that the page browses by."""
    routes = Blueprint("browse", __name__, url_prefix="/api/v1")

    @routes.get("/series")
    @operation(
        "listSeries",
        "The indexed series",
        tag=_TAG,
        gives="Series in order of collection, study and series.",
        scope="search",
    )
    def series(query: CollectionQuery) -> SeriesList:
        listed = engine.catalogue.series(engine.encoder.fingerprint, collection=query.collection)
        return SeriesList(series=listed_series(listed, engine.secrets))

    @routes.get("/series/<series_uid>/frames")
    @operation(
        "listFrames",
        "The frames of a series in display order",
        tag=_TAG,
        gives="Frames in display order (head first for an axial series).",
        scope="search",
        raises=(NotFoundError,),
    )
    def frames(path: SeriesPath, query: CollectionQuery) -> FrameList:
        entries = _frames(engine, path.series_uid, query.collection)
        listed = [ListedFrame.of(entry.to_dict()) for entry in entries]
        return FrameList(series_uid=path.series_uid, collection=entries[0].collection, frames=listed)

    @routes.get("/series/<series_uid>/image")
    @operation(
        "readSeriesImage",
        "The middle frame of a series as PNG",
        tag=_TAG,
        gives=Content(_DRAWN, "image/png", headers=KeptHeaders),
        scope="search",
        description="For lists of series: with size=64 it is a thumbnail.",
        also={304: Content("The picture that If-None-Match names by its ETag is still the same.")},
        raises=(NotFoundError, LimitError, DecodeError),
    )
    def cover(path: SeriesPath, query: SeriesPicture) -> Response:
        entries = _frames(engine, path.series_uid, query.collection)
        return _kept_picture(files, entries[len(entries) // 2], query, query.size)

    @routes.get("/instances/<sop_instance_uid>/frames/<int:frame_number>/image")
    @operation(
        "readImage",
        "An indexed frame as PNG",
        tag=_TAG,
        gives=Content(_DRAWN, "image/png", headers=KeptHeaders),
        scope="search",
        also={304: Content("The picture that If-None-Match names by its ETag is still the same.")},
        raises=(NotFoundError, LimitError, DecodeError, RegionError),
    )
    def image(path: FramePath, query: Picture) -> Response:
        entry = indexed(engine, path.sop_instance_uid, path.frame_number, query.collection)[0]
        return _kept_picture(files, entry, query, query.size, query.box)

    @routes.post("/render")
    @operation(
        "renderFile",
        "A frame of a file as PNG; nothing is kept",
        tag=_TAG,
        gives=Content(_PICTURE, "image/png", headers=RenderedHeaders),
        scope="search",
        raises=(LimitError, DecodeError),
    )
    def preview(body: RenderForm) -> Response:
        file = engine.decoder.open(body.file, first_frame=body.frame == 1)
        picture, headers = _picture(frame_of(file, body.frame), body)
        return _answer(picture, RenderedHeaders(**dict(headers), frames=len(file.infos)))

    return routes


def _kept_picture(
    files: OpenedFiles, entry: EntryInfo, window: DisplayWindow, size: int | None, boxes: Sequence[Box] = ()
) -> Response:
    """Answer with an indexed frame, or that the browser's picture of it is still the same."""
    tag = tag_of(entry)
    if request.if_none_match.contains(tag):
        return kept(Response(status=304), tag)
    for box in boxes:
        check_box(box, entry.info, "box")
    picture, headers = _picture(files.frame(entry), window)
    return kept(_answer(outlined(picture, boxes, size), headers), tag)


def _answer(picture: NDArray[np.uint8], headers: PictureHeaders) -> Response:
    return Response(png(picture), mimetype="image/png", headers=headers.fields())


def _picture(frame: Frame, shown_through: DisplayWindow) -> tuple[NDArray[np.uint8], PictureHeaders]:
    """Return a frame as 8-bit grey, and what a viewer needs to measure and to set the display window.

    A window meant in other units than the frame's is not used: CT studies hold localizers, not in HU.
    """
    info, window = frame.info, shown_through.window
    if shown_through.units not in (None, frame.units):
        window = None
    used = window or (frame.display_window if frame.units is Units.HU else None)
    spacing = None if info.spacing is None else f"{info.spacing.row_mm:.6g},{info.spacing.column_mm:.6g}"
    headers = PictureHeaders(
        rows=info.rows,
        columns=info.columns,
        units=frame.units,
        units_note=frame.units_note,
        spacing=spacing,
        window=None if used is None else f"{used[0]:.6g},{used[1]:.6g}",
    )
    return render(frame, window), headers


def _frames(engine: Engine, series_uid: str, collection: str | None) -> list[EntryInfo]:
    """Return the frames of a series in display order; raises NotFoundError where there are none."""
    collection = collection or _collection_of_series(engine, series_uid)
    entries = engine.catalogue.frames(collection, series_uid, engine.encoder.fingerprint)
    if not entries:
        raise _unknown_series(series_uid)
    return entries


def _collection_of_series(engine: Engine, series_uid: str) -> str:
    listed = engine.catalogue.series(engine.encoder.fingerprint, Selector("series", series_uid))
    if not listed:
        raise _unknown_series(series_uid)
    return listed[0].collection


def _unknown_series(series_uid: str) -> NotFoundError:
    return NotFoundError(
        f"Series {shown(series_uid)} is not indexed.", "See GET /api/v1/series for those that are."
    )
