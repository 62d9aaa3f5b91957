"""The document: every rule of the application with its operation, and the models that they share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from flask import Flask
from pydantic import BaseModel

from hmar.problems import ProblemType
from service.auth import OPEN_ENDPOINTS, SAFE_METHODS
from service.models.asked import media_type_of
from service.models.given import Headers
from service.models.problem import Problem, TriesAgain, WantsKey
from service.openapi.about import ABOUT, PROVIDER, TAGS, security_schemes
from service.openapi.problems import problems_of
from service.openapi.schemas import Schema, Schemas
from service.operations.operation import Content, Operation, operation_of

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_PROBLEM_HEADERS: dict[int, type[Headers]] = {401: WantsKey, 429: TriesAgain, 503: TriesAgain}


class _Route(NamedTuple):
    path: str
    method: str
    keyed: bool
    declared: Operation


def document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of an application.

    Parameters
    ----------
    app : Flask
        Every view of it is an operation.
    """
    routes = list(_routes(app))
    schemas = _schemas([route.declared for route in routes])
    ways = security_schemes(app.extensions[PROVIDER])
    paths: dict[str, dict[str, Any]] = {}
    responses: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, list(ways), schemas, responses
        )
    components = {
        "securitySchemes": ways,
        "responses": dict(sorted(responses.items())),
        "schemas": schemas.used_by([paths, responses]),
    }
    security = [{name: list[str]()} for name in ways]
    return {**ABOUT, "security": security, "tags": TAGS, "paths": paths, "components": components}


def template(rule: str) -> str:
    """Return a rule of Flask as OpenAPI writes it: ``/frames/<int:number>`` as ``/frames/{number}``."""
    return _PARAMETER.sub(r"{\1}", rule)


def _routes(app: Flask) -> Iterator[_Route]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            declared = operation_of(app.view_functions[rule.endpoint])
            yield _Route(template(rule.rule), method, rule.endpoint not in OPEN_ENDPOINTS, declared)


def _schemas(operations: list[Operation]) -> Schemas:
    asked: list[type[BaseModel]] = []
    given: list[type[BaseModel]] = [Problem, *_PROBLEM_HEADERS.values()]
    for one in operations:
        asked += [model for model in (one.path, one.query, one.headers, *one.bodies) if model is not None]
        for content in one.answers.values():
            given += [model for model in (content.model, content.headers) if model is not None]
    return Schemas(asked, given)


def _operation(
    route: _Route, ways: list[str], schemas: Schemas, responses: dict[str, Schema]
) -> dict[str, Any]:
    declared = route.declared
    written: dict[str, Any] = {
        "tags": [declared.tag],
        "operationId": declared.operation_id,
        "summary": declared.summary,
    }
    if described := " ".join(filter(None, (declared.description, _told_scope(declared)))):
        written["description"] = described
    if not route.keyed:
        written["security"] = []
    elif declared.scope != "any":
        written["security"] = [{name: [declared.scope]} for name in ways]
    if declared.path or declared.query or declared.headers:
        written["parameters"] = [
            *_parameters(declared.path, "path", schemas),
            *_parameters(declared.query, "query", schemas),
            *_parameters(declared.headers, "header", schemas),
        ]
    if declared.bodies:
        written["requestBody"] = {"required": True, "content": _bodies(declared, schemas)}
    answers = {status: _answer(content, schemas) for status, content in declared.answers.items()}
    problems = problems_of(declared, keyed=route.keyed, changes=route.method not in SAFE_METHODS)
    for status, kinds in problems.items():
        if status not in answers:
            answers[status] = _problem(status, kinds, schemas, responses)
    written["responses"] = {str(status): answers[status] for status in sorted(answers)}
    return written


def _told_scope(declared: Operation) -> str:
    return "" if declared.scope in (None, "any") else f"Needs the scope `{declared.scope}`."


def _parameters(model: type[BaseModel] | None, place: str, schemas: Schemas) -> Iterator[Schema]:
    if model is None:
        return
    schema = schemas.fields_of(model, "validation")
    for name, described in schema["properties"].items():
        needed = {"required": True} if name in schema.get("required", ()) else {}
        yield {"name": name, "in": place, **needed, **_told_apart(described)}


def _bodies(declared: Operation, schemas: Schemas) -> dict[str, Schema]:
    written: dict[str, Schema] = {}
    for body in declared.bodies:
        kind = media_type_of(body)
        written[kind] = {"schema": schemas.of(body, "validation")}
        if kind in declared.examples:
            written[kind]["example"] = declared.examples[kind]
    return written


def _answer(content: Content, schemas: Schemas) -> Schema:
    written: Schema = {"description": content.description}
    if content.headers is not None:
        written["headers"] = _headers(content.headers, schemas)
    if content.media_type is not None:
        schema = {} if content.model is None else {"schema": schemas.of(content.model, "serialization")}
        written["content"] = dict.fromkeys((content.media_type, *content.also_as), schema)
    return written


def _headers(model: type[BaseModel], schemas: Schemas) -> dict[str, Schema]:
    schema = schemas.fields_of(model, "serialization")
    required = schema.get("required", ())
    return {
        name: {"required": True, **_told_apart(described)} if name in required else _told_apart(described)
        for name, described in schema["properties"].items()
    }


def _told_apart(described: Schema) -> Schema:
    """Return a field's description, which stands beside its schema in a parameter or header."""
    schema = {name: value for name, value in described.items() if name != "description"}
    if "anyOf" in schema:  # a header that is null is absent
        [schema] = [one for one in schema["anyOf"] if one != {"type": "null"}]
    told = {"description": described["description"]} if "description" in described else {}
    return {**told, "schema": schema}


def _problem(status: int, kinds: list[ProblemType], schemas: Schemas, responses: dict[str, Schema]) -> Schema:
    """Return a reference to the response with these problems, which is written once."""
    name = ".".join(kind.slug for kind in kinds)
    if name not in responses:
        lines = [f"`{kind.slug}`: {kind.title}." for kind in kinds]
        headers = _PROBLEM_HEADERS.get(status)
        content = Content("\n\n".join(lines), "application/problem+json", Problem, headers)
        responses[name] = _answer(content, schemas)
    return {"$ref": f"#/components/responses/{name}"}
