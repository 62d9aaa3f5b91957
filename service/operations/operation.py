"""What a route declares of itself, beside the types of its view's parameters and of what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from hmar.errors import HmarError
from hmar.values.identity import Scope
from service.models.asked import Asked
from service.models.given import Given, Headers
from service.operations.reading import Body, read_body, read_headers, read_path

Returned = Given | tuple[Given, Headers] | tuple[Given, Headers, int] | ResponseReturnValue

View = Callable[..., ResponseReturnValue]

Needs = Scope | Literal["any"]
"""The scope that an operation needs; "any" is a valid key or login, whatever it may do."""

_ATTRIBUTE = "operation"


class Content(NamedTuple):
    """One answer: what it means, its media type (None: no body), and the models of body and headers.

    ``also_as`` are further media types that it may have, as the request accepts.
    """

    description: str
    media_type: str | None = None
    model: type[Given] | None = None
    headers: type[Headers] | None = None
    also_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    Parameters
    ----------
    operation_id, summary, tag, description : str
        What it is called and does.
    scope : str or None
        What a key or login needs for it; None where it needs neither key nor login.
    path, query, headers : type of Asked or None
        What its address says, and its headers besides those that every request may have.
    bodies : tuple of types
        What its body may be; none if no body is read.
    status : int
        Of its first answer, the one that a view gives by returning a model.
    answers : mapping of int to Content
        What it answers, by status, besides the problems that follow from what it reads.
    raises : tuple of classes of errors
        What can be wrong besides the form of the request.
    examples : mapping of str to object
        Bodies by their media types.
    """

    operation_id: str
    summary: str
    tag: str
    description: str
    scope: Needs | None
    path: type[Asked] | None
    query: type[Asked] | None
    headers: type[Asked] | None
    bodies: tuple[Body, ...]
    status: int
    answers: Mapping[int, Content]
    raises: tuple[type[HmarError], ...]
    examples: Mapping[str, object] = field(default_factory=dict)

    def arguments(self, in_path: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments of the view: what the current request asks for."""
        found: dict[str, object] = {}
        if self.path is not None:
            found["path"] = read_path(self.path, in_path)
        if self.query is not None:
            found["query"] = g.query
        if self.headers is not None:
            found["headers"] = read_headers(self.headers, request)
        if self.bodies:
            found["body"] = read_body(self.bodies)
        return found

    def answer(self, returned: Returned) -> ResponseReturnValue:
        """Return what Flask is to answer for what the view returned."""
        if isinstance(returned, Given):
            return jsonify(returned.to_json()), self.status
        match returned:
            case (Given() as told, Headers() as headers):
                return jsonify(told.to_json()), self.status, headers.fields()
            case (Given() as told, Headers() as headers, int() as status):
                return jsonify(told.to_json()), status, headers.fields()
        return returned


def operation(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    gives: Content | str,
    scope: Needs | None = None,
    description: str = "",
    status: int = 200,
    also: Mapping[int, Content] | None = None,
    raises: tuple[type[HmarError], ...] = (),
    examples: Mapping[str, object] | None = None,
) -> Callable[[Callable[..., Returned]], View]:
    """Declare a view as an operation, which reads its request by the types of its parameters.

    They are called ``path``, ``query``, ``headers`` and ``body``, and their types are models of
    :mod:`service.models`, or several of them for a body. What is returned is a model, too, or one with
    headers, and with a status where that may be another than the first answer's; or any answer of Flask.

    Parameters
    ----------
    operation_id, summary, tag, description : str
        What it is called and does.
    gives : Content or str
        Its first answer. A text describes the model that the view returns, as JSON.
    scope : str, optional
        What a key or login needs for it, or "any". Without it the route must be one of
        ``service.auth.OPEN_ENDPOINTS``, or the application does not start.
    status : int
        Of the first answer.
    also : mapping of int to Content
        Further answers, which are no problems or no JSON.
    raises : tuple of classes of errors
        What can be wrong besides the form of the request.
    examples : mapping of str to object
        Bodies by their media types.
    """

    def declare(view: Callable[..., Returned]) -> View:
        hints = get_type_hints(view, include_extras=True)
        first = _content(gives, hints["return"]) if isinstance(gives, str) else gives
        declared = Operation(
            operation_id,
            summary,
            tag,
            description,
            scope,
            hints.get("path"),
            hints.get("query"),
            hints.get("headers"),
            _members(hints["body"]) if "body" in hints else (),
            status,
            {status: first, **(also or {})},
            raises,
            examples or {},
        )

        @wraps(view)
        def asked(**in_path: object) -> ResponseReturnValue:
            return declared.answer(view(**declared.arguments(in_path)))

        setattr(asked, _ATTRIBUTE, declared)
        return asked

    return declare


def operation_of(view: Callable[..., Any]) -> Operation:
    """Return what a view was declared to be; raises AttributeError for one that was not."""
    declared: Operation = getattr(view, _ATTRIBUTE)
    return declared


def _content(description: str, returned: Any) -> Content:
    """Return the first answer of a view that returns a model, or a model and headers, before any other."""
    first = _members(returned)[0]
    model, headers = get_args(first)[:2] if get_origin(first) is tuple else (first, None)
    return Content(description, "application/json", model, headers)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
