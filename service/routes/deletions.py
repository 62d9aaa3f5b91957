"""Deleting: POST /api/v1/deletions. A patient id comes in a body, never in an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ParameterError, shown
from hmar.removal import nothing_matches, one_selector
from hmar.values.deletion import Level, Selector
from hmar.wiring import Engine
from service.readers.json_text import json_object
from service.schemas import collection_of, known_fields

_UID_LEVELS = [level for level in get_args(Level) if level != "patient"]
_FIELDS = {"level", "collection"}
_ALL_COLLECTIONS = frozenset({"collection"})
"""What may be null, which stands for all of them."""
_OF_PATIENT = frozenset(_FIELDS | {"patient_id", "issuer"})
_OF_UID = frozenset(_FIELDS | {"uid"})


def blueprint(engine: Engine) -> Blueprint:
    """Return the route that deletes."""
    routes = Blueprint("deletions", __name__, url_prefix="/api/v1/deletions")

    @routes.post("")
    def delete() -> ResponseReturnValue:
        fields = json_object(request)
        selector = _selector(fields, PatientHasher(engine.secrets.patient))
        collection = collection_of(fields, None)
        extent = engine.remover.delete(selector, collection).extent
        if not extent.frames:
            raise nothing_matches(selector)
        return jsonify(level=selector.level, collection=collection, **extent.to_dict())

    return routes


def _selector(fields: dict[str, object], hasher: PatientHasher) -> Selector:
    level = fields.get("level")
    if level == "patient":
        known_fields(fields, _OF_PATIENT, null=_ALL_COLLECTIONS)
        key = hasher.key(_text(fields, "patient_id"), _text(fields, "issuer", ""))
        return one_selector({}, True, key)
    for known in _UID_LEVELS:
        if level == known:
            known_fields(fields, _OF_UID, null=_ALL_COLLECTIONS)
            return one_selector({known: _text(fields, "uid")}, False, None)
    raise ParameterError(f"level is {shown(level)}.", f"Give one of {', '.join(get_args(Level))}.")


def _text(fields: Mapping[str, object], name: str, default: str | None = None) -> str:
    """Return a text field; an error does not repeat it, for it may be a patient's id."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise ParameterError(f"{name} is missing, or no text.", f"Give {name} as a text.")
    return value
