"""QIDO-RS (PS3.18 10.6) over what is indexed: studies, series and instances."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from flask import Blueprint, Response, request, url_for

from hmar.values.entries import EntryInfo, SeriesInfo
from hmar.values.wanted_studies import WantedStudies
from hmar.wiring import Engine
from service.accepting import DICOM_JSON, JSON, JSON_FORMS, Form, chosen_form
from service.dicom_rows import Row, instance_row, series_row, study_row
from service.errors import NotAcceptableError
from service.models.dicomweb import (
    Matching,
    MatchingInstances,
    MatchingSeries,
    MatchingStudies,
    SeriesOfStudy,
    StudyOfArchive,
)
from service.operations.operation import Content, operation

T = TypeVar("T")

ROWS = 100
"""Rows of an answer where nobody says how many."""
_NOTHING = {204: Content("Nothing matches.")}


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes by which a viewer lists what is indexed."""
    routes = Blueprint("dicomweb_query", __name__, url_prefix="/dicom-web")

    @routes.get("/studies")
    @operation(
        "searchForStudies",
        "QIDO-RS: the indexed studies",
        tag="dicomweb",
        gives=Content("Rows of DICOM JSON, in order of the UID.", DICOM_JSON, also_as=(JSON,)),
        scope="search",
        also=_NOTHING,
        raises=(NotAcceptableError,),
    )
    def studies(query: MatchingStudies) -> Response:
        form = chosen_form(request.headers.get("Accept"), JSON_FORMS)
        if query.StudyInstanceUID is None:
            uids = engine.catalogue.study_uids(engine.encoder.fingerprint, query.wanted)
        else:
            uids = [uid for uid in sorted(set(query.StudyInstanceUID)) if _fits(uid, query.wanted)]
        page = _page(uids, query)
        found = [(uid, series) for uid in page if (series := series_of(engine, uid))]
        return _answer(form, [study_row(series, _url(study_uid=uid)) for uid, series in found], uids, query)

    def _fits(study_uid: str, wanted: WantedStudies) -> bool:
        fingerprint = engine.encoder.fingerprint
        return bool(engine.catalogue.study_uids(fingerprint, replace(wanted, study_uid=study_uid)))

    @routes.get("/studies/<study_uid>/series")
    @operation(
        "searchForSeries",
        "QIDO-RS: the indexed series of a study",
        tag="dicomweb",
        gives=Content("Rows of DICOM JSON, in order of the UID.", DICOM_JSON, also_as=(JSON,)),
        scope="search",
        also=_NOTHING,
        raises=(NotAcceptableError,),
    )
    def series(path: StudyOfArchive, query: MatchingSeries) -> Response:
        form = chosen_form(request.headers.get("Accept"), JSON_FORMS)
        found = [
            one
            for one in series_of(engine, path.study_uid)
            if one.series_uid in (query.SeriesInstanceUID or (one.series_uid,))
            and query.Modality in (None, one.modality)
        ]
        rows = [
            series_row(one, frames, _url(study_uid=one.study_uid, series_uid=one.series_uid))
            for one in _page(found, query)
            if (frames := _frames(engine, one))
        ]
        return _answer(form, rows, found, query)

    @routes.get("/studies/<study_uid>/series/<series_uid>/instances")
    @operation(
        "searchForInstances",
        "QIDO-RS: the indexed instances of a series",
        tag="dicomweb",
        gives=Content("Rows of DICOM JSON, in display order.", DICOM_JSON, also_as=(JSON,)),
        scope="search",
        also=_NOTHING,
        raises=(NotAcceptableError,),
    )
    def instances(path: SeriesOfStudy, query: MatchingInstances) -> Response:
        form = chosen_form(request.headers.get("Accept"), JSON_FORMS)
        found = [
            frames
            for uid, frames in instances_of(engine, path.study_uid, path.series_uid).items()
            if uid in (query.SOPInstanceUID or (uid,))
        ]
        rows = [
            instance_row(
                frames,
                _url(
                    study_uid=path.study_uid,
                    series_uid=path.series_uid,
                    sop_instance_uid=frames[0].info.sop_instance_uid,
                ),
            )
            for frames in _page(found, query)
        ]
        return _answer(form, rows, found, query)

    return routes


def series_of(engine: Engine, study_uid: str) -> list[SeriesInfo]:
    """Return the series of a study, each of the first collection that holds it, in order of the UID."""
    found = engine.catalogue.studies(engine.encoder.fingerprint, wanted=WantedStudies(study_uid)).studies
    by_uid: dict[str, SeriesInfo] = {}
    for study in found:
        for one in study.series:
            by_uid.setdefault(one.series_uid, one)
    return [by_uid[uid] for uid in sorted(by_uid)]


def instances_of(engine: Engine, study_uid: str, series_uid: str) -> dict[str, list[EntryInfo]]:
    """Return the frames of a series by instance, both in display order; none where it is not indexed."""
    for one in series_of(engine, study_uid):
        if one.series_uid == series_uid:
            return by_instance(_frames(engine, one))
    return {}


def by_instance(frames: Iterable[EntryInfo]) -> dict[str, list[EntryInfo]]:
    """Return frames by the UIDs of their instances, in the order of their first; of each in order."""
    found: dict[str, list[EntryInfo]] = {}
    for frame in frames:
        found.setdefault(frame.info.sop_instance_uid, []).append(frame)
    return {uid: sorted(some, key=lambda frame: frame.info.frame_number) for uid, some in found.items()}


def rows_as(form: Form, rows: Sequence[Row]) -> Response:
    """Return rows as DICOM JSON."""
    return Response(json.dumps(rows, allow_nan=False), content_type=form.media_type)


def _frames(engine: Engine, series: SeriesInfo) -> list[EntryInfo]:
    found = engine.catalogue.frames(series.collection, series.series_uid, engine.encoder.fingerprint)
    return [frame for frame in found if frame.info.study_uid == series.study_uid]


def _page(found: Sequence[T], query: Matching) -> Sequence[T]:
    return found[query.offset : query.offset + (query.limit or ROWS)]


def _answer(form: Form, rows: Sequence[Row], found: Sequence[object], query: Matching) -> Response:
    if not rows:
        return Response(status=204)
    answer = rows_as(form, rows)
    left = len(found) - query.offset - ROWS
    if query.limit is None and left > 0:
        # PS3.18 8.3.4.4; whoever names a limit expects no more than that.
        answer.headers["Warning"] = f'299 hmar "There are {left} additional results that can be requested"'
    return answer


def _url(**uids: str) -> str:
    """Return where a study, series or instance is retrieved."""
    parts = zip(("studies", "series", "instances"), uids.values(), strict=False)
    root = url_for("dicomweb_query.studies", _external=True).removesuffix("/studies")
    return "/".join((root, *(f"{level}/{quote(uid, safe='')}" for level, uid in parts)))
