"""Files: those that a request sends along, and those of the server that it asks for."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import WithJsonSchema

from service.models.asked import Asked

_IMAGE = "DICOM, PNG or JPEG."
File = Annotated[
    bytes,
    WithJsonSchema({"type": "string", "format": "binary", "description": _IMAGE}),
]


Table = Annotated[
    bytes,
    WithJsonSchema(
        {
            "type": "string",
            "format": "binary",
            "description": "CSV in UTF-8 with the columns label and one of sop_instance_uid, "
            "series_instance_uid and study_instance_uid.",
        }
    ),
]


class SentFile(NamedTuple):
    """A file with the name that it was sent by, without folders."""

    content: bytes
    name: str


NamedFile = Annotated[SentFile, WithJsonSchema({"type": "string", "format": "binary", "description": _IMAGE})]


class FilePath(Asked):
    """Which file of the server."""

    filename: str
