"""Every bad input gets the right status, a body that names the value and the remedy, and changes nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.phantoms import ct_file, sop_uid
from tests.service.conftest import MAX_UPLOAD, NODULE, Archive

GOOD = ct_file(1, 2, NODULE)
UID = {"sop_instance_uid": sop_uid(1, 2)}
REGION = [50, 70, 20, 20]
IMAGE = "/api/v1/search/image"
BOXED = "/api/v1/search/region"
JOBS = "/api/v1/index-jobs"
FORM = "multipart/form-data"


def named(route: str, **fields: Any) -> dict[str, Any]:
    return {"path": route, "json": UID | fields}


def upload(route: str, data: bytes, **fields: str) -> dict[str, Any]:
    return {"path": route, "data": {"file": (io.BytesIO(data), "x.dcm")} | fields}


def job(folder: str) -> dict[str, Any]:
    return {"path": JOBS, "json": {"folder": folder}}


CASES = {
    "empty file": (upload(IMAGE, b""), 422, "image-not-readable", "0 bytes"),
    "text file": (upload(IMAGE, b"hello, I am text"), 422, "image-not-readable", "16 bytes"),
    "truncated DICOM": (upload(IMAGE, GOOD[: len(GOOD) // 2]), 422, "image-not-readable", ""),
    "header of a DICOM alone": (upload(IMAGE, GOOD[:200]), 422, "image-not-readable", ""),
    "truncated DICOM with region": (
        upload(BOXED, GOOD[:9000], region="50,70,20,20"),
        422,
        "image-not-readable",
        "",
    ),
    "region outside the image": (
        named(BOXED, region=[180, 70, 20, 20]),
        422,
        "region-outside-image",
        "180,70,20,20",
    ),
    "region left of the image": (named(BOXED, region=[-1, 0, 9, 9]), 422, "region-outside-image", "-1,0,9,9"),
    "region without area": (named(BOXED, region=[50, 70, 0, 20]), 422, "region-outside-image", "50,70,0,20"),
    "region with negative size": (named(BOXED, region=[50, 70, -5, 20]), 422, "region-outside-image", "-5"),
    "uploaded region outside": (upload(BOXED, GOOD, region="0,0,999,9"), 422, "region-outside-image", "999"),
    "region of three numbers": (named(BOXED, region=[1, 2, 3]), 422, "parameter-out-of-range", "[1, 2, 3]"),
    "region of words": (upload(BOXED, GOOD, region="a,b,c,d"), 422, "parameter-out-of-range", "a,b,c,d"),
    "region with NaN": (upload(BOXED, GOOD, region="nan,1,2,3"), 422, "parameter-out-of-range", "nan"),
    "no region": (named(BOXED), 422, "parameter-out-of-range", "None"),
    "region for a whole image": (named(IMAGE, region=REGION), 422, "parameter-out-of-range", "whole image"),
    "k of 0": (named(IMAGE, k=0), 422, "parameter-out-of-range", "k is 0"),
    "k of 1001": (named(IMAGE, k=1001), 422, "parameter-out-of-range", "k is 1001"),
    "k of letters": (upload(IMAGE, GOOD, k="abc"), 422, "parameter-out-of-range", "'abc'"),
    "k of half": (named(IMAGE, k=1.5), 422, "parameter-out-of-range", "1.5"),
    "k of true": (named(IMAGE, k=True), 422, "parameter-out-of-range", "True"),
    "unknown mode": (named(IMAGE, mode="x"), 422, "parameter-out-of-range", "mode is 'x'"),
    "unknown search": (named(IMAGE, search="x"), 422, "parameter-out-of-range", "search is 'x'"),
    "unknown bits": (named(IMAGE, bits=32), 422, "parameter-out-of-range", "bits is 32"),
    "frame 0": (named(IMAGE, frame_number=0), 422, "parameter-out-of-range", "frame_number is 0"),
    "frame 2 of 1": (upload(IMAGE, GOOD, frame="2"), 422, "parameter-out-of-range", "Frame 2"),
    "bad collection": (named(IMAGE, collection="../x"), 422, "parameter-out-of-range", "../x"),
    "filters of text": (named(IMAGE, filters="modality=CT"), 422, "parameter-out-of-range", "modality=CT"),
    "filters of a list": (named(IMAGE, filters=["CT"]), 422, "parameter-out-of-range", "['CT']"),
    "misspelt filter": (
        named(IMAGE, filters={"modalty": "CT"}),
        422,
        "parameter-out-of-range",
        "filters.'modalty'",
    ),
    "modality with a star": (
        named(IMAGE, filters={"modality": "C*"}),
        422,
        "parameter-out-of-range",
        "modality is 'C*'",
    ),
    "modality of no value": (
        named(IMAGE, filters={"modality": []}),
        422,
        "parameter-out-of-range",
        "modality is []",
    ),
    "modality of null": (
        named(IMAGE, filters={"modality": None}),
        422,
        "parameter-out-of-range",
        "modality is None",
    ),
    "body part of a number": (
        named(IMAGE, filters={"body_part": ["CHEST", 7]}),
        422,
        "parameter-out-of-range",
        "7",
    ),
    "101 labels": (
        named(IMAGE, filters={"label": ["x"] * 101}),
        422,
        "parameter-out-of-range",
        "label is ['x'",
    ),
    "label of two lines": (named(IMAGE, filters={"label": "a\nb"}), 422, "parameter-out-of-range", "a\\nb"),
    "unknown sex": (named(IMAGE, filters={"sex": "X"}), 422, "parameter-out-of-range", "sex is 'X'"),
    "manufacturer of signs": (
        named(IMAGE, filters={"manufacturer": "***"}),
        422,
        "parameter-out-of-range",
        "manufacturer is '***'",
    ),
    "age of a number": (
        named(IMAGE, filters={"age_years": 40}),
        422,
        "parameter-out-of-range",
        "age_years is 40",
    ),
    "age of text": (
        named(IMAGE, filters={"age_years": {"min": "40"}}),
        422,
        "parameter-out-of-range",
        "{'min': '40'}",
    ),
    "thickness of true": (
        named(IMAGE, filters={"slice_thickness_mm": {"min": True}}),
        422,
        "parameter-out-of-range",
        "{'min': True}",
    ),
    "contrast of text": (
        named(IMAGE, filters={"contrast": "yes"}),
        422,
        "parameter-out-of-range",
        "contrast is 'yes'",
    ),
    "unknown property": (
        named(IMAGE, filters={"colour": "red"}),
        422,
        "parameter-out-of-range",
        "filters.'colour'",
    ),
    "age of true": (
        named(IMAGE, filters={"age_years": {"min": True}}),
        422,
        "parameter-out-of-range",
        "{'min': True}",
    ),
    "ages the wrong way round": (
        named(IMAGE, filters={"age_years": {"min": 60, "max": 40}}),
        422,
        "parameter-out-of-range",
        "60 to 40",
    ),
    "age of 91": (named(IMAGE, filters={"age_years": {"max": 91}}), 422, "parameter-out-of-range", "91"),
    "no ages": (named(IMAGE, filters={"age_years": {}}), 422, "parameter-out-of-range", "age_years is {}"),
    "age of null": (
        named(IMAGE, filters={"age_years": {"min": None}}),
        422,
        "parameter-out-of-range",
        "age_years is",
    ),
    "study date of a number": (
        named(IMAGE, filters={"study_date": {"from": 20200101}}),
        422,
        "parameter-out-of-range",
        "20200101",
    ),
    "study date that is none": (
        named(IMAGE, filters={"study_date": {"from": "2021-02-29"}}),
        422,
        "parameter-out-of-range",
        "2021-02-29",
    ),
    "study dates the wrong way round": (
        named(IMAGE, filters={"study_date": {"from": "2021-01-01", "to": "2020-01-01"}}),
        422,
        "parameter-out-of-range",
        "2021-01-01 to 2020-01-01",
    ),
    "study date with a stray end": (
        named(IMAGE, filters={"study_date": {"since": "2021-01-01"}}),
        422,
        "parameter-out-of-range",
        "since",
    ),
    "unknown group": (
        named(IMAGE, group_by="institution"),
        422,
        "parameter-out-of-range",
        "group_by is 'institution'",
    ),
    "group of a list": (named(IMAGE, group_by=["series"]), 422, "parameter-out-of-range", "['series']"),
    "unknown exclusion": (
        named(IMAGE, exclude={"same": "hospital"}),
        422,
        "parameter-out-of-range",
        "exclude.same is 'hospital'",
    ),
    "misspelt exclusion": (
        named(IMAGE, exclude={"sam": "patient"}),
        422,
        "parameter-out-of-range",
        "exclude.'sam'",
    ),
    "exclusion of text": (
        named(IMAGE, exclude="patient"),
        422,
        "parameter-out-of-range",
        "exclude is 'patient'",
    ),
    "form filters that are no JSON": (
        upload(IMAGE, GOOD, filters="{'sex': 'F'}"),
        422,
        "parameter-out-of-range",
        "{'sex': 'F'}",
    ),
    "form filters too deep": (upload(IMAGE, GOOD, filters="[" * 9999), 422, "parameter-out-of-range", "[[["),
    "job with a label of a number": (
        {"path": JOBS, "json": {"folder": "chest", "label": 7}},
        422,
        "parameter-out-of-range",
        "label is 7",
    ),
    "job with an empty label": (
        {"path": JOBS, "json": {"folder": "chest", "label": " "}},
        422,
        "parameter-out-of-range",
        "The label is ''",
    ),
    "misspelt field": (named(BOXED, regoin=REGION), 422, "parameter-out-of-range", "regoin"),
    "misspelt form field": (upload(IMAGE, GOOD, kk="3"), 422, "parameter-out-of-range", "kk"),
    "no UID": ({"path": IMAGE, "json": {}}, 422, "parameter-out-of-range", "sop_instance_uid is None"),
    "unknown UID": ({"path": IMAGE, "json": {"sop_instance_uid": "1.2.3"}}, 404, "not-found", "1.2.3"),
    "unknown frame": (named(IMAGE, frame_number=7), 404, "not-found", "Frame 7"),
    "broken JSON": (
        {"path": IMAGE, "data": b'{"k": ', "content_type": "application/json"},
        400,
        "malformed-request",
        "",
    ),
    "JSON too deep": (
        {"path": IMAGE, "data": b"[" * 100_000, "content_type": "application/json"},
        400,
        "malformed-request",
        "",
    ),
    "JSON array": ({"path": IMAGE, "json": [1]}, 400, "malformed-request", "array"),
    "no file": (
        {"path": IMAGE, "data": {"k": "3"}, "content_type": FORM},
        400,
        "malformed-request",
        "0 parts",
    ),
    "two files": (
        {"path": IMAGE, "data": {"file": [(io.BytesIO(GOOD), "a"), (io.BytesIO(GOOD), "b")]}},
        400,
        "malformed-request",
        "2 parts",
    ),
    "bare body": (
        {"path": IMAGE, "data": GOOD, "content_type": "application/dicom"},
        415,
        "unsupported-media-type",
        "application/dicom",
    ),
    "oversize": (upload(IMAGE, bytes(MAX_UPLOAD + 1)), 413, "upload-too-large", str(MAX_UPLOAD)),
    "oversize JSON": (
        {"path": IMAGE, "data": b" " * (MAX_UPLOAD + 1), "content_type": "application/json"},
        413,
        "upload-too-large",
        str(MAX_UPLOAD),
    ),
    "job without folder": (
        {"path": JOBS, "json": {}},
        422,
        "parameter-out-of-range",
        "neither folder nor pacs",
    ),
    "job on an empty folder": (job(" "), 422, "parameter-out-of-range", "' '"),
    "job on an absolute folder": (
        {"path": JOBS, "json": {"folder": "/etc"}},
        422,
        "parameter-out-of-range",
        "/etc",
    ),
    "job outside": (
        {"path": JOBS, "json": {"folder": "a/../../b"}},
        422,
        "parameter-out-of-range",
        "a/../../b",
    ),
    "job with NUL": (job("a\0b"), 422, "parameter-out-of-range", "a\\x00b"),
    "job with a bad collection": (
        {"path": JOBS, "json": {"folder": "chest", "collection": ""}},
        422,
        "parameter-out-of-range",
        "The collection's name is ''",
    ),
    "job with a stray field": (
        {"path": JOBS, "json": {"folder": "chest", "path": "x"}},
        422,
        "parameter-out-of-range",
        "path",
    ),
    "job without files": (
        {"path": JOBS, "data": {"collection": "default"}, "content_type": FORM},
        400,
        "malformed-request",
        "file",
    ),
    "job with an empty file": (upload(JOBS, b""), 422, "image-not-readable", "0 bytes"),
    "render of text": (upload("/api/v1/render", b"text"), 422, "image-not-readable", "4 bytes"),
    "render with half a window": (
        upload("/api/v1/render", GOOD, centre="40"),
        422,
        "parameter-out-of-range",
        "'40' / None",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_words_and_changes_nothing(archive: Archive, case: str) -> None:
    request, status, slug, named_value = CASES[case]
    before = archive.rows()
    answer = archive.client.post(**request)
    body = answer.get_json(force=True)
    assert (answer.status_code, body["type"]) == (status, f"/problems/{slug}"), body
    assert answer.mimetype == "application/problem+json"
    assert body["status"] == status
    assert named_value in body["detail"]
    assert body["title"]
    assert body["remedy"]
    assert archive.rows() == before


def test_the_answer_to_an_oversize_body_names_the_setting(archive: Archive) -> None:
    answer = archive.client.post(**upload(IMAGE, bytes(MAX_UPLOAD + 1)))
    assert "HMAR_MAX_UPLOAD_BYTES" in answer.get_json(force=True)["remedy"]


def test_an_unknown_address_and_a_wrong_method_are_problems_too(archive: Archive) -> None:
    lost = archive.client.get("/api/v1/nothing")
    assert (lost.status_code, lost.get_json(force=True)["type"]) == (404, "/problems/no-such-route")
    wrong = archive.client.get(IMAGE)
    assert (wrong.status_code, wrong.get_json(force=True)["type"]) == (405, "/problems/method-not-allowed")
    assert "POST" in wrong.headers["Allow"]
