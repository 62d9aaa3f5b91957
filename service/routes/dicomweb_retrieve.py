"""WADO-RS (PS3.18 10.4) over what is indexed: metadata, files, frames and pictures for a viewer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flask import Blueprint, Response, request
from numpy.typing import NDArray

from hmar.errors import DecodeError, LimitError, NotFoundError, ParameterError, shown
from hmar.image.raster import jpeg, png, render
from hmar.values.entries import EntryInfo
from hmar.values.frames import Units
from hmar.wiring import Engine
from service.accepting import DICOM_JSON, JSON, JSON_FORMS, RELATED, Form, chosen_form
from service.dicom_rows import Row, metadata
from service.errors import NotAcceptableError
from service.kept_answers import kept, tag_of
from service.models.dicomweb import FrameOfInstance, InstanceOfSeries, Rendering, SeriesOfStudy
from service.multipart import sent_as
from service.opened import OpenedFiles
from service.operations.operation import Content, operation
from service.routes.dicomweb_query import by_instance, instances_of, rows_as

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_DICOM, _OCTETS, _JPEG, _PNG = "application/dicom", "application/octet-stream", "image/jpeg", "image/png"
_FILES = (Form(RELATED, _DICOM), Form(_DICOM))
_FRAMES = (Form(RELATED, _OCTETS), Form(_OCTETS))
_PICTURES = (Form(_JPEG), Form(_PNG))
_RAISES = (NotFoundError, LimitError, DecodeError, NotAcceptableError)


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the routes by which a viewer opens what is indexed."""
    routes = Blueprint("dicomweb_retrieve", __name__, url_prefix="/dicom-web")

    @routes.get("/studies/<study_uid>/series/<series_uid>/metadata")
    @operation(
        "retrieveMetadata",
        "WADO-RS: what a viewer needs to show the instances of a series",
        tag="dicomweb",
        gives=Content(
            "One object of DICOM JSON for each instance, in display order. It has the attributes that "
            "docs/dicomweb.md lists, and no others. Instances of which the file cannot be read are left out; "
            "the header Warning says how many.",
            DICOM_JSON,
            also_as=(JSON,),
        ),
        scope="search",
        raises=_RAISES,
    )
    def of_series(path: SeriesOfStudy) -> Response:
        form = chosen_form(request.headers.get("Accept"), JSON_FORMS)
        instances = list(instances_of(engine, path.study_uid, path.series_uid).values())
        if not instances:
            raise NotFoundError(
                f"Series {shown(path.series_uid)} of study {shown(path.study_uid)} is not indexed.",
                "See GET /dicom-web/studies for those that are.",
            )
        rows, left_out = _described(files, instances)
        answer = rows_as(form, rows)
        if left_out:
            answer.headers["Warning"] = f'299 hmar "The files of {left_out} instances cannot be read"'
        return answer

    @routes.get("/studies/<study_uid>/series/<series_uid>/instances/<sop_instance_uid>")
    @operation(
        "retrieveInstance",
        "WADO-RS: the DICOM file of an instance as it is",
        tag="dicomweb",
        gives=Content("The file, with all that its header says.", RELATED, also_as=(_DICOM,)),
        scope="files",
        description="The header may hold names of patients and of others.",
        raises=_RAISES,
    )
    def instance(path: InstanceOfSeries) -> Response:
        content, syntax = files.content(_instance(engine, path)[0])
        return sent_as(chosen_form(request.headers.get("Accept"), _FILES, syntax), content, syntax)

    @routes.get(
        "/studies/<study_uid>/series/<series_uid>/instances/<sop_instance_uid>/frames/<int:frame_number>"
    )
    @operation(
        "retrieveFrame",
        "WADO-RS: the stored values of a frame",
        tag="dicomweb",
        gives=Content("The values, as the metadata say.", RELATED, also_as=(_OCTETS,)),
        scope="search",
        also={304: Content("The values that If-None-Match names by their ETag are still the same.")},
        raises=_RAISES,
    )
    def frame(path: FrameOfInstance) -> Response:
        entry = _frame(engine, path)
        form = chosen_form(request.headers.get("Accept"), _FRAMES, EXPLICIT_LITTLE_ENDIAN)
        tag = f"{tag_of(entry)}-{'part' if form.parts else 'bare'}"
        if request.if_none_match.contains(tag):
            return _kept(Response(status=304), tag)
        return _kept(sent_as(form, files.stored(entry).to_bytes(), EXPLICIT_LITTLE_ENDIAN), tag)

    @routes.get("/studies/<study_uid>/series/<series_uid>/instances/<sop_instance_uid>/rendered")
    @operation(
        "renderInstance",
        "WADO-RS: the first frame of an instance as a picture",
        tag="dicomweb",
        gives=Content("The frame in 8-bit grey, of its own size.", _JPEG, also_as=(_PNG,)),
        scope="search",
        raises=(*_RAISES, ParameterError),
    )
    def rendered(path: InstanceOfSeries, query: Rendering) -> Response:
        return _rendered(files, _instance(engine, path)[0], query)

    @routes.get(
        "/studies/<study_uid>/series/<series_uid>/instances/<sop_instance_uid>"
        "/frames/<int:frame_number>/rendered"
    )
    @operation(
        "renderFrame",
        "WADO-RS: a frame as a picture",
        tag="dicomweb",
        gives=Content("The frame in 8-bit grey, of its own size.", _JPEG, also_as=(_PNG,)),
        scope="search",
        raises=(*_RAISES, ParameterError),
    )
    def rendered_frame(path: FrameOfInstance, query: Rendering) -> Response:
        return _rendered(files, _frame(engine, path), query)

    return routes


def _described(files: OpenedFiles, instances: Sequence[list[EntryInfo]]) -> tuple[list[Row], int]:
    """Return the metadata of instances, and how many are left out; raises what is wrong with all of them."""
    rows: list[Row] = []
    wrong: NotFoundError | DecodeError | None = None
    for frames in instances:
        try:
            rows.append(metadata(frames, files.headers(frames)))
        except (NotFoundError, DecodeError) as error:
            wrong = error
    if wrong is not None and not rows:
        raise wrong
    return rows, len(instances) - len(rows)


def _instance(engine: Engine, path: InstanceOfSeries) -> list[EntryInfo]:
    """Return the frames of an instance, of the first collection that holds it in this study and series."""
    found = [
        entry
        for entry in engine.catalogue.find(path.sop_instance_uid, engine.encoder.fingerprint)
        if (entry.info.study_uid, entry.info.series_uid) == (path.study_uid, path.series_uid)
    ]
    if not found:
        raise NotFoundError(
            f"Instance {shown(path.sop_instance_uid)} of series {shown(path.series_uid)} is not indexed.",
            "See GET /dicom-web/studies for what is.",
        )
    collection = min(entry.collection for entry in found)
    held = [entry for entry in found if entry.collection == collection]
    return by_instance(held)[path.sop_instance_uid]


def _frame(engine: Engine, path: FrameOfInstance) -> EntryInfo:
    frames = _instance(engine, path)
    for entry in frames:
        if entry.info.frame_number == path.frame_number:
            return entry
    raise NotFoundError(
        f"Frame {path.frame_number} of the instance is not indexed.",
        f"Frames {frames[0].info.frame_number} to {frames[-1].info.frame_number} may be.",
    )


def _rendered(files: OpenedFiles, entry: EntryInfo, query: Rendering) -> Response:
    form = chosen_form(request.headers.get("Accept"), _PICTURES)
    frame = files.frame(entry)
    if query.window is not None and frame.units is not Units.HU:
        raise ParameterError(
            "The frame is not in Hounsfield units, and has its own display window applied.",
            "Leave window out.",
        )
    picture: NDArray[np.uint8] = render(frame, query.window)
    encode = jpeg if form.media_type == _JPEG else png
    return Response(encode(picture), content_type=form.media_type)


def _kept(answer: Response, tag: str) -> Response:
    answer.vary.add("Accept")
    return kept(answer, tag)
