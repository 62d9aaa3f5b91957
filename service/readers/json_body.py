"""A body that is one JSON object."""

from __future__ import annotations

from flask import Request

from hmar.errors import shown
from service.errors import MalformedRequestError, MediaTypeError
from service.readers.json_text import json_value

_NAMES = {list: "an array", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def json_object(request: Request) -> dict[str, object]:
    """Return the JSON object that is the body; anything else is refused."""
    if not request.is_json:
        raise MediaTypeError(
            f"The content type is {shown(request.mimetype)}.",
            "Send application/json, or multipart/form-data with a part named file.",
        )
    value = json_value(request.get_data(cache=False))
    if not isinstance(value, dict):
        raise MalformedRequestError(
            f"The JSON is {_NAMES.get(type(value), 'null')}.", "Send one JSON object."
        )
    return value
