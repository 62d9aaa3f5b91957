"""The description of the API as tests use it: every answer of a test client is checked against it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.test import TestResponse

from hmar.adapters.memory import InlineQueue
from hmar.config import IN_MEMORY, Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import build_engine
from service.app import create_app
from service.openapi.document import document, template
from service.problem_table import all_problems


def described_app() -> Flask:
    """An application over an empty archive in memory: its description is that of every other."""
    queue = InlineQueue(lambda _: None)
    return create_app(build_engine(Settings(database_url=IN_MEMORY).checked(), ThumbnailEncoder(), queue))


SPEC: dict[str, Any] = document(described_app())
KNOWN = {(f"/problems/{one.slug}", one.status) for one in all_problems()}


def resolved(node: Any) -> Any:
    """Follow a reference within the description."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = SPEC
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return what checks values against a schema, given as JSON text."""
    return Draft202012Validator(
        {**json.loads(schema), "components": SPEC["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def check(value: object, schema: str) -> None:
    """Check a value against a component."""
    validator(json.dumps({"$ref": f"#/components/schemas/{schema}"})).validate(value)


def check_answer(path: str, method: str, answer: TestResponse) -> None:
    """Check one answer: the status is listed, and headers, media type and body are those described.

    Parameters
    ----------
    path : str
        As the description writes it.
    method : str
        In lower case.
    answer : TestResponse
    """
    operation = SPEC["paths"][path]["get" if method == "head" else method]
    where = f"{method} {path} {answer.status_code}"
    listed = operation["responses"]
    assert str(answer.status_code) in listed, f"{where}: the status is not described"
    described = resolved(listed[str(answer.status_code)])
    for name, header in described.get("headers", {}).items():
        if name in answer.headers:
            schema = resolved(header["schema"])
            value: object = answer.headers[name]
            value = int(str(value)) if schema.get("type") == "integer" else value
            validator(json.dumps(header["schema"])).validate(value)
        else:
            assert not header.get("required"), f"{where}: the header {name} is missing"
    content = described.get("content", {})
    if not content:
        assert not answer.data, f"{where}: a body is not described"
        return
    assert answer.mimetype in content or "*/*" in content, f"{where}: {answer.mimetype} is not described"
    schema = content.get(answer.mimetype, {}).get("schema")
    if schema is not None and method != "head":
        validator(json.dumps(schema)).validate(answer.get_json(force=True))
    if answer.mimetype == "application/problem+json" and method != "head":
        check_problem(answer)


def check_problem(answer: TestResponse) -> None:
    """Check that a problem is one of the table, and has the status that the answer has."""
    body = answer.get_json(force=True)
    check(body, "Problem")
    assert body["status"] == answer.status_code
    assert (body["type"], body["status"]) in KNOWN or body["type"] == "/problems/malformed-request"


class CheckedClient(FlaskClient):
    """A client whose every answer is checked."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        request = answer.request
        method = str(request.environ["REQUEST_METHOD"]).lower()
        path = self._described_path(request.path, method)
        if path is None:
            assert answer.status_code in (400, 401, 404, 405), answer.status_code
            check_problem(answer)
        elif method != "options":
            check_answer(path, method, answer)
        return answer

    def _described_path(self, path: str, method: str) -> str | None:
        """Return the path as the description writes it, None for an address or a method that no route has."""
        adapter: MapAdapter = self.application.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(path, method=method.upper(), return_rule=True)
        except HTTPException:
            return None
        return template(rule.rule)
