"""Files: those that a request sends along, and those of the server that it asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

from service.models.asked import Asked

File = Annotated[
    bytes,
    WithJsonSchema({"type": "string", "format": "binary", "description": "DICOM, PNG or JPEG."}),
]


class FilePath(Asked):
    """Which file of the server."""

    filename: str
