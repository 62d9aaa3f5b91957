"""JSON (RFC 8259), strictly: no name twice, no NaN, bounded in size and depth, nothing after its end."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from hmar.errors import shown
from service.errors import MalformedRequestError

MAX_BYTES = 512 << 10
MAX_DEPTH = 16
"""Objects and arrays within each other. Queries have four."""

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{\]}]', re.DOTALL)
# A text without its end is taken whole: looked for again from each quote in it, it would cost its square.


def json_value(data: bytes | str) -> Any:
    """Parse a JSON text; raises MalformedRequestError naming what is wrong with it."""
    if len(data) > MAX_BYTES:
        raise MalformedRequestError(f"The JSON has {len(data)} bytes.", f"Send at most {MAX_BYTES}.")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise MalformedRequestError("The JSON is not UTF-8.", "Send UTF-8.") from error
    _check_depth(text)
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number)
        # Half of a surrogate pair is no character: nothing could store or show it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedRequestError(
            "A text holds half a surrogate pair.", "Send whole characters."
        ) from error
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedRequestError(f"The JSON cannot be parsed{where}.", "Send one JSON object.") from error
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise MalformedRequestError("The JSON is nested too deeply.", f"Nest at most {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise MalformedRequestError(f"The name {shown(name)} comes twice in one object.", "Send it once.")
        found[name] = value
    return found


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _no_number(text)
    return number


def _no_number(text: str) -> NoReturn:
    raise MalformedRequestError(f"{shown(text)} is no number that is read here.", "Send finite numbers.")
