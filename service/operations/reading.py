"""Requests in: what an address, a form or a JSON object says, as the models that an operation declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_origin

from flask import Request, current_app, request
from pydantic import BaseModel, ValidationError

from service.largest import largest_body
from service.models.asked import Asked, FormBody, JsonBody, LoginForm, media_type_of
from service.models.stow import DICOM, Instances
from service.operations.refusals import refusal_of
from service.readers.form import FILE, form_fields, form_with_file, form_with_files
from service.readers.json_body import json_object
from service.readers.known import check_once, unknown_field
from service.readers.related import RelatedParts, related_parts

Body = type[BaseModel]
M = TypeVar("M", bound=BaseModel)
A = TypeVar("A", bound=Asked)


def read_path(model: type[A], in_path: Mapping[str, object]) -> A:
    """Return what the address names."""
    return validated(model, in_path)


def read_query(model: type[Asked] | None, asked: Request) -> Asked:
    """Return what the query of the address says, of which no field may come twice but those that repeat.

    Parameters
    ----------
    model : type of Asked or None
        None takes no field.
    asked : Request
    """
    wanted = model or Asked
    names = (name for name, _ in asked.args.items(multi=True))
    check_once((name for name in names if name not in wanted.repeats), "field of the query")
    lists = {name: asked.args.getlist(name) for name in wanted.repeats if name in asked.args}
    return validated(wanted, {**asked.args.to_dict(), **lists}, "field of the query")


def read_headers(model: type[A], asked: Request) -> A:
    """Return those headers that a model names; all others are left to others."""
    aliases = {name: field.alias or name for name, field in model.model_fields.items()}
    found = {name: asked.headers[alias] for name, alias in aliases.items() if alias in asked.headers}
    return validated(model, found, "header")


def read_body(bodies: tuple[Body, ...]) -> BaseModel:
    """Return what the body of the current request says, as one of several models.

    Raises
    ------
    InputError
        If it cannot be read as any of them.
    """
    by_type = {media_type_of(body): body for body in bodies}
    if Instances.media_type in by_type:
        return by_type[Instances.media_type].model_validate(_instances())
    if LoginForm.media_type in by_type:
        login = by_type[LoginForm.media_type]
        return validated(login, form_fields(request, login.model_fields))
    if FormBody.media_type in by_type and (
        request.mimetype == FormBody.media_type or JsonBody.media_type not in by_type
    ):
        form = by_type[FormBody.media_type]
        return validated(form, _form(form))
    return validated(by_type[JsonBody.media_type], json_object(request))


def validated(model: type[M], fields: Mapping[str, object], what: str = "field") -> M:
    """Return fields as a model; raises an InputError that names the first that cannot be used.

    A name that is not known comes first: it is often another one, misspelt, that is missed next. It is looked
    for here, for pydantic would make an error of each of thousands.
    """
    if issubclass(model, Asked):
        _check_known(model, fields, what)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refusal_of(error, model, what) from error


def _check_known(model: type[Asked], fields: Mapping[str, object], what: str) -> None:
    known = model.model_fields
    for name in fields:
        if name not in known and name not in model.explains:
            raise unknown_field(name, known, what)


def _instances() -> RelatedParts:
    request.max_content_length = largest_body(current_app.config, request.method, request.path)
    return related_parts(request.headers.get("Content-Type", ""), DICOM, request.stream)


def _form(model: Body) -> dict[str, Any]:
    known = model.model_fields
    if get_origin(known[FILE].annotation) is list:
        texts, files = form_with_files(request, known)
        return {**texts, FILE: files}
    texts, file = form_with_file(request, known)
    return {**texts, FILE: file}
