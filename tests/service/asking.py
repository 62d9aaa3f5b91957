"""One request for each operation of the description, and clients that may do some things somewhere."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hmar.thumbnail import ThumbnailEncoder
from hmar.values.identity import Identity, Scope
from tests.phantoms import ROOT, ct_file
from tests.service.conftest import Archive
from tests.service.contract import SPEC

WEBHOOK = KEY = "asked"
"""Name of a webhook, and of a key, that a test which is answered has added."""
ASKS_PACS = frozenset({"readStudyPatient"})
"""What a site without a PACS answers with 404, to whoever may ask; its own tests ask one."""


class Described(NamedTuple):
    """Where an operation is, and what the description says of it."""

    method: str
    path: str
    said: dict[str, Any]


@cache
def operations() -> dict[str, Described]:
    """Return the operations of the description by their names."""
    return {
        said["operationId"]: Described(method, path, said)
        for path, methods in SPEC["paths"].items()
        for method, said in methods.items()
    }


@dataclass(frozen=True)
class Target:
    """What requests ask for."""

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    job_id: str
    collection: str


@dataclass(frozen=True)
class Request:
    """How an operation is asked.

    Parameters
    ----------
    path : mapping
        Values of the parameters in its path.
    sent : callable
        Returns what else the test client is given.
    """

    path: Mapping[str, Callable[[Target], str]] = field(default_factory=dict)
    sent: Callable[[Target], dict[str, Any]] = lambda _: {}

    def ask(self, client: FlaskClient, operation_id: str, target: Target) -> TestResponse:
        method, path, _ = operations()[operation_id]
        values = {name: value(target) for name, value in self.path.items()}
        return client.open(path.format(**values), method=method.upper(), **self.sent(target))


def _frame(target: Target) -> dict[str, Any]:
    return {"sop_instance_uid": target.sop_instance_uid}


def _query(target: Target) -> dict[str, Any]:
    return _frame(target) | {"k": 1000, "mode": "global"}


def _file() -> dict[str, Any]:
    return {"file": (io.BytesIO(ct_file(9, 1)), "sent.dcm")}


def stow(collection: str, *files: bytes) -> dict[str, Any]:
    """Return what a STOW-RS request sends."""
    parts = [b"Content-Type: application/dicom\r\n\r\n" + data for data in files or (ct_file(9, 1),)]
    return {
        "data": b"".join(b"--part\r\n" + part + b"\r\n" for part in parts) + b"--part--",
        "content_type": 'multipart/related; type="application/dicom"; boundary=part',
        "query_string": {"collection": collection},
    }


_SERIES: dict[str, Callable[[Target], str]] = {
    "study_uid": lambda target: target.study_uid,
    "series_uid": lambda target: target.series_uid,
}
_INSTANCE = {**_SERIES, "sop_instance_uid": lambda target: target.sop_instance_uid}

REQUESTS: dict[str, Request] = {
    "showPage": Request(),
    "logOut": Request(),
    "readDescription": Request(),
    "readSpecification": Request(),
    "showDescription": Request(),
    "readDescriptionFile": Request({"filename": lambda _: "swagger-ui.css"}),
    "searchImage": Request(sent=lambda target: {"json": _query(target)}),
    "searchRegion": Request(sent=lambda target: {"json": _query(target) | {"region": [50, 70, 20, 20]}}),
    "searchBatch": Request(sent=lambda target: {"json": {"queries": [_frame(target)], "k": 100}}),
    "searchSeries": Request(sent=lambda target: {"json": {"series_uid": target.series_uid, "k": 100}}),
    "searchStudies": Request(sent=lambda target: {"json": {"study_uid": target.study_uid, "k": 100}}),
    "exportHits": Request(sent=lambda target: {"json": _frame(target) | {"k": 2, "kinds": ["sr"]}}),
    "explainHit": Request(sent=lambda target: {"json": _frame(target) | {"hit": _frame(target)}}),
    "drawHit": Request(sent=lambda target: {"json": _frame(target) | {"hit": _frame(target)}}),
    "listSeries": Request(),
    "listFrames": Request({"series_uid": lambda target: target.series_uid}),
    "matchSeries": Request(
        {"series_uid": lambda target: target.series_uid},
        lambda target: {"query_string": {"to": target.series_uid}},
    ),
    "readImage": Request(
        {"sop_instance_uid": lambda target: target.sop_instance_uid, "frame_number": lambda _: "1"}
    ),
    "readSeriesImage": Request({"series_uid": lambda target: target.series_uid}),
    "readPixels": Request(
        {"sop_instance_uid": lambda target: target.sop_instance_uid, "frame_number": lambda _: "1"}
    ),
    "renderFile": Request(sent=lambda _: {"data": _file()}),
    "readFilePixels": Request(sent=lambda _: {"data": _file()}),
    "createIndexJob": Request(sent=lambda target: {"data": _file() | {"collection": target.collection}}),
    "storeInstances": Request(sent=lambda target: stow(target.collection)),
    "storeStudyInstances": Request(
        {"study_uid": lambda _: f"{ROOT}.99"}, lambda target: stow(target.collection)
    ),
    "listIndexJobs": Request(),
    "followIndexJob": Request({"job_id": lambda target: target.job_id}),
    "cancelIndexJob": Request({"job_id": lambda target: target.job_id}),
    "retryIndexJob": Request({"job_id": lambda target: target.job_id}),
    "readIndexJob": Request({"job_id": lambda target: target.job_id}),
    "listIndexJobItems": Request({"job_id": lambda target: target.job_id}),
    "listChanges": Request(),
    "listCollections": Request(),
    "readStudyPatient": Request({"study_uid": lambda target: target.study_uid}),
    "listPatients": Request(),
    "listStudies": Request(),
    "readStudy": Request({"study_uid": lambda target: target.study_uid}),
    "readInstance": Request({"sop_instance_uid": lambda target: target.sop_instance_uid}),
    "searchForStudies": Request(),
    "searchForSeries": Request({"study_uid": lambda target: target.study_uid}),
    "searchForInstances": Request(_SERIES),
    "retrieveMetadata": Request(_SERIES),
    "retrieveInstance": Request(_INSTANCE),
    "retrieveFrame": Request({**_INSTANCE, "frame_number": lambda _: "1"}),
    "renderInstance": Request(_INSTANCE),
    "renderFrame": Request({**_INSTANCE, "frame_number": lambda _: "1"}),
    "listLabelNotes": Request(),
    "changeLabels": Request(
        sent=lambda target: {"json": {"level": "series", "uids": [target.series_uid], "label": "asked"}}
    ),
    "keepFeedback": Request(
        sent=lambda target: {
            "json": {"query": _frame(target), "judgements": [_frame(target) | {"verdict": "relevant"}]}
        }
    ),
    "listFeedback": Request(),
    "readMetrics": Request(),
    "listWebhooks": Request(),
    "addWebhook": Request(sent=lambda _: {"json": {"name": "new", "url": "https://192.0.2.1/"}}),
    "removeWebhook": Request({"name": lambda _: WEBHOOK}),
    "enableWebhook": Request({"name": lambda _: WEBHOOK}),
    "listPacs": Request(),
    "readIdentity": Request(),
    "listKeys": Request(),
    "makeKey": Request(sent=lambda _: {"json": {"name": "new"}}),
    "revokeKey": Request({"name": lambda _: KEY}),
    "listAudit": Request(),
    "showOperations": Request({"part": lambda _: "jobs"}),
    "listBackups": Request(),
    "makeBackup": Request(),
    "readVerification": Request(),
    "verifyArchive": Request(),
    "listModels": Request(),
    "readModelCard": Request({"fingerprint": lambda _: ThumbnailEncoder().fingerprint}),
    "reindexModel": Request(
        {"fingerprint": lambda _: ThumbnailEncoder().fingerprint}, lambda _: {"json": {}}
    ),
    "useModel": Request({"fingerprint": lambda _: ThumbnailEncoder().fingerprint}, lambda _: {"json": {}}),
    "delete": Request(sent=lambda target: {"json": {"level": "series", "uid": target.series_uid}}),
}
"""Every operation that needs a key. A new one is entered here, and all tests of rights ask it."""


def needed_scope(operation_id: str) -> str | None:
    """Return the scope that the description says an operation needs; "any" for any key, None for no key."""
    security = operations()[operation_id].said.get("security", SPEC["security"])
    if not security:
        return None
    [roles] = {tuple(roles) for requirement in security for roles in requirement.values()}
    return roles[0] if roles else "any"


def client_of(archive: Archive, identity: Identity) -> FlaskClient:
    """Return a client with a key of its own."""
    client = archive.stranger
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {archive.engine.keys.create(identity)}"
    return client


def limited(name: str, scope: Scope, *collections: str) -> Identity:
    return Identity(name, frozenset({scope}), frozenset(collections) or None)
