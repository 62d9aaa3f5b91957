"""Every operation of the specification refuses a field that it does not know, and one that comes twice."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid
from tests.service.conftest import Archive
from tests.service.contract import SPEC, resolved

IN_PATH = {
    "{study_uid}": f"{ROOT}.91",
    "{series_uid}": series_uid(1),
    "{sop_instance_uid}": sop_uid(1, 1),
    "{frame_number}": "1",
    "{job_id}": "0" * 32,
    "{filename}": "icon.svg",
    "{part}": "jobs",
    "{fingerprint}": "f" * 32,
    "{name}": "receiver",
}
ODD = "nonsense"
LONG = ODD * 1000


def sample(schema: Any) -> Any:
    """Return the smallest value of a schema."""
    schema = resolved(schema)
    if "oneOf" in schema:
        return sample(schema["oneOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        one_of = schema.get("anyOf", [{}])[0]
        required = [*schema.get("required", ()), *one_of.get("required", ())]
        return {name: sample(schema["properties"][name]) for name in required}
    if schema.get("type") == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0)
    return 1 if schema.get("type") in ("integer", "number") else "1.2"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def bodies(kind: str) -> list[tuple[str, str, Any]]:
    return [
        (path, method, content[kind]["schema"])
        for path, method, operation in operations()
        if kind in (content := resolved(operation.get("requestBody", {})).get("content", {}))
    ]


def address(path: str) -> str:
    for name, value in IN_PATH.items():
        path = path.replace(name, value)
    assert "{" not in path, path
    return path


def refused(answer: TestResponse, named: str) -> None:
    problem = answer.get_json(force=True)
    assert answer.status_code in (400, 422), (answer.status_code, problem)
    assert named in problem["detail"], problem
    assert len(answer.data) < 2000


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
@pytest.mark.parametrize("name", [ODD, LONG])
def test_a_field_of_the_query_that_is_not_known_is_refused(
    archive: Archive, path: str, method: str, operation: dict[str, Any], name: str
) -> None:
    del operation
    refused(archive.client.open(f"{address(path)}?{name}=1", method=method), ODD)


def test_a_field_of_the_query_that_comes_twice_is_refused(archive: Archive) -> None:
    seen = 0
    for path, method, operation in operations():
        for parameter in map(resolved, operation.get("parameters", [])):
            if parameter["in"] == "query":
                seen += 1
                twice = urlencode([(parameter["name"], "1"), (parameter["name"], "1")])
                refused(archive.client.open(f"{address(path)}?{twice}", method=method), parameter["name"])
    assert seen >= 8


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/login"])
def test_the_page_takes_no_unknown_query_either(archive: Archive, path: str) -> None:
    refused(archive.client.get(f"{path}?{ODD}=1"), ODD)


def test_a_login_link_with_two_tokens_is_refused_and_neither_is_shown(archive: Archive) -> None:
    answer = archive.stranger.get("/login?token=first&token=second")
    refused(answer, "token")
    assert "first" not in answer.text


@pytest.mark.parametrize(("path", "method", "schema"), bodies("application/json"))
def test_json_with_an_unknown_name_or_one_twice_is_refused(
    archive: Archive, path: str, method: str, schema: Any
) -> None:
    good = sample(schema)

    def sent(text: str) -> TestResponse:
        return archive.client.open(address(path), method=method, data=text, content_type="application/json")

    refused(sent(json.dumps(good | {ODD: 1})), ODD)
    refused(sent(json.dumps(good | {LONG: 1})), ODD)
    fields = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in good.items()]
    for name, field in zip(good, fields, strict=True):
        refused(sent(f"{{{', '.join([*fields, field])}}}"), name)
    deep = '"x": {"deep": {"twice": 1, "twice": 2}}'
    refused(sent(f"{{{', '.join([*fields, deep])}}}"), "twice")


def may_be_null(schema: Any) -> bool:
    schema = resolved(schema)
    types = schema.get("type", [])
    return "null" in ([types] if isinstance(types, str) else types) or any(
        map(may_be_null, (*schema.get("oneOf", ()), *schema.get("anyOf", ())))
    )


def with_nulls(schema: Any, value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each property of an object's schema, at any depth, and the value with null in its place."""
    schema = resolved(schema)
    for one in schema.get("oneOf", ()):
        yield from with_nulls(one, sample(one))
    for name, inner in schema.get("properties", {}).items():
        if not may_be_null(inner):
            yield name, value | {name: None}
        for deeper, changed in with_nulls(inner, {}):
            yield deeper, value | {name: changed}


@pytest.mark.parametrize(("path", "method", "schema"), bodies("application/json"))
def test_null_is_refused_where_the_specification_does_not_name_it(
    archive: Archive, path: str, method: str, schema: Any
) -> None:
    before, seen = archive.rows(), 0
    for name, body in with_nulls(schema, sample(schema)):
        answer = archive.client.open(address(path), method=method, json=body)
        assert answer.status_code in (400, 422), (name, body, answer.status_code)
        seen += 1
    assert seen
    assert archive.rows() == before


@pytest.mark.parametrize(("path", "method", "schema"), bodies("multipart/form-data"))
def test_a_form_with_an_unknown_field_or_one_twice_is_refused(
    archive: Archive, path: str, method: str, schema: Any
) -> None:
    def sent(**parts: Any) -> TestResponse:
        file = (io.BytesIO(ct_file(1, 1)), "x.dcm")
        return archive.client.open(address(path), method=method, data={"file": file} | parts)

    before = archive.rows()
    refused(sent(**{ODD: "1"}), ODD)
    refused(sent(**{ODD: (io.BytesIO(b"x"), "x")}), ODD)
    for name in resolved(schema)["properties"]:
        if name != "file":
            refused(sent(**{name: ["1", "1"]}), name)
            refused(sent(**{name: (io.BytesIO(b"1"), "x")}), name)
    refused(sent(file=[(io.BytesIO(ct_file(1, 1)), "x.dcm"), "text"]), "file")
    assert archive.rows() == before


@pytest.mark.parametrize("name", ["filters", "exclude"])
def test_json_within_a_form_is_read_as_strictly(archive: Archive, name: str) -> None:
    part = (io.BytesIO(ct_file(1, 1)), "x.dcm")
    text = '{"same": "study", "same": "study", "modality": "CT", "modality": "CT"}'
    refused(archive.client.post("/api/v1/search/image", data={"file": part, name: text}), "twice")


def test_the_login_form_takes_its_token_once_and_nothing_else(archive: Archive) -> None:
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    for form in ({"token": [token, token]}, {"token": token, ODD: "1"}, {"token": (io.BytesIO(b"x"), "x")}):
        answer = archive.stranger.post("/login", data=form)
        assert answer.status_code == 422
        assert token not in answer.text
    assert archive.stranger.post("/login", data={"token": token}).status_code == 303, "it was not used up"


@pytest.mark.parametrize("path", ["/api/v1/series", "/healthz", "/"])
def test_a_body_where_none_is_read_is_refused(archive: Archive, path: str) -> None:
    assert archive.client.get(path, data=b"x").status_code == 400
