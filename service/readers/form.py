"""Forms: fields and files, in multipart/form-data or URL-encoded."""

from __future__ import annotations

from collections.abc import Collection

from flask import Request

from hmar.errors import DecodeError
from service.errors import MalformedRequestError
from service.readers.known import check_once, unknown_field

FILE = "file"
MAX_NAME = 255


def form_fields(request: Request, known: Collection[str]) -> dict[str, str]:
    """Return the fields of a form that takes no file; raises ParameterError."""
    for name in request.files:
        raise unknown_field(name, known)
    return _fields(request)


def form_with_file(request: Request, known: Collection[str]) -> tuple[dict[str, str], bytes]:
    """Return the fields of a form, and the bytes of its one part named file."""
    fields, files = _fields_and_files(request, known)
    if len(files) != 1:
        raise MalformedRequestError(
            f"The body has {len(files)} parts named file with a file name.", "Send one, with a file name."
        )
    return fields, files[0][0]


def form_with_files(
    request: Request, known: Collection[str]
) -> tuple[dict[str, str], list[tuple[bytes, str]]]:
    """Return the fields of a form, and the bytes and names of all parts named file; none may be empty."""
    fields, files = _fields_and_files(request, known)
    if not files:
        raise MalformedRequestError(
            "The body has no part named file with a file name.", "Send at least one such part."
        )
    for number, (content, _) in enumerate(files, start=1):
        if not content:
            raise DecodeError(f"File {number} of {len(files)} is empty (0 bytes).", "Leave it out.")
    return fields, files


def _fields_and_files(
    request: Request, known: Collection[str]
) -> tuple[dict[str, str], list[tuple[bytes, str]]]:
    for name in request.files:
        if name != FILE:
            raise unknown_field(name, known)
    if FILE in request.form:
        raise MalformedRequestError("A part named file has no file name.", "Send it with one.")
    sent = request.files.getlist(FILE)
    return _fields(request), [(part.read(), _name(part.filename or "")) for part in sent]


def _name(filename: str) -> str:
    """Return the last part of a name, whatever system it comes from, as far as it can be shown."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last))[:MAX_NAME]


def _fields(request: Request) -> dict[str, str]:
    check_once(name for name, _ in request.form.items(multi=True))
    return dict(request.form)
