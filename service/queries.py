"""Search requests in: what is looked for, how, and among what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flask import Request

from hmar.errors import ParameterError, shown
from hmar.search import MAX_K
from hmar.values.codes import Bits
from hmar.values.geometry import Box, box_of
from hmar.values.hits import Mode
from hmar.values.selection import Same, Selection
from service.filters import excluded, selection_of
from service.readers.form import form_with_file
from service.readers.json_text import json_object
from service.schemas import known_fields, whole_number

_UID = re.compile(r"[!-~]{1,64}")
_FORM_FIELDS = frozenset(
    {"frame", "region", "k", "mode", "bits", "collection", "filters", "exclude", "group_by"}
)
_JSON_FIELDS = (_FORM_FIELDS - {"frame"}) | {"sop_instance_uid", "frame_number"}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A query: the bytes of a file or the UID of an indexed instance, how to search, and among what."""

    upload: bytes | None
    sop_instance_uid: str | None
    frame_number: int
    region: Box | None
    k: int
    mode: Mode
    bits: Bits
    selection: Selection
    exclude_same: Same | None


def read_search(request: Request, *, with_region: bool) -> SearchRequest:
    """Read a search request, multipart or JSON; ``with_region``: the route searches for a region."""
    upload, uid = None, None
    if request.mimetype == "multipart/form-data":
        form, upload = form_with_file(request, _FORM_FIELDS)
        fields = dict[str, object](form)
        frame_number = whole_number(fields, "frame", 1, 1, 1_000_000)
    else:
        fields = known_fields(json_object(request), _JSON_FIELDS)
        uid = _uid(fields)
        frame_number = whole_number(fields, "frame_number", 1, 1, 1_000_000)
    default_mode = "local" if with_region else "auto"
    return SearchRequest(
        upload,
        uid,
        frame_number,
        _region(fields.get("region"), with_region),
        whole_number(fields, "k", 10, 1, MAX_K),
        cast(Mode, _choice(fields, "mode", ("global", "local", "auto"), default_mode)),
        cast(Bits, int(_choice(fields, "bits", ("64", "128"), "128"))),
        selection_of(fields),
        excluded(fields),
    )


def _uid(fields: Mapping[str, object]) -> str:
    uid = fields.get("sop_instance_uid")
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise ParameterError(
            f"sop_instance_uid is {shown(uid)}.", "Give the UID of an indexed instance, or send a file."
        )
    return uid


def _choice(fields: Mapping[str, object], name: str, choices: tuple[str, ...], default: str) -> str:
    value = fields.get(name, default)
    if isinstance(value, bool) or str(value) not in choices:
        raise ParameterError(f"{name} is {shown(value)}.", f"Give one of {', '.join(choices)}.")
    return str(value)


def _region(value: object, wanted: bool) -> Box | None:
    if value is None and not wanted:
        return None
    if not wanted:
        raise ParameterError(
            f"region is {shown(value)}, but this route searches for the whole image.",
            "Leave it out, or use /api/v1/search/region.",
        )
    box = box_of(value)
    if box is None:
        raise ParameterError(
            f"region is {shown(value)}.", "Give x,y,width,height in source pixels: four finite numbers."
        )
    return box
