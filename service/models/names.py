"""Names and texts that both requests and answers hold: collections, labels, UIDs, folders."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.labels import LENGTH, label_value
from hmar.values.names import NAME, checked_name
from service.models.left_out import LeftOut
from service.models.remedy import Remedy

DEFAULT_COLLECTION = "default"
UID_PATTERN = r"^[!-~]{1,64}$"
"""Files have UIDs of other forms than the standard's (PS3.5 9.1), and these are kept as they are."""
_FOLDER = Remedy("Give a folder below HMAR_IMPORT_DIR, relative to it, without '..' ('.' is all of it).")
_NAME_SCHEMA = {"type": "string", "pattern": f"^{NAME}$"}


def _check_given(value: object) -> None:
    """Refuse null, in the words that all fields have for it (:mod:`service.operations.refusals`)."""
    if value is None:
        raise ValueError("null")


def _collection(value: object) -> str:
    _check_given(value)
    return checked_name("collection", value)


def _folder(value: object) -> str:
    """Return the folder to index, relative to the import folder and inside it."""
    _check_given(value)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or "\\" in value:
        raise ParameterError(f"folder is {shown(value)}.", _FOLDER.text)
    path = PurePosixPath(value.strip())
    if path.is_absolute() or ".." in path.parts:
        raise ParameterError(f"folder is {shown(value)}, outside the import folder.", _FOLDER.text)
    return str(path)


Collection = Annotated[str, PlainValidator(_collection), WithJsonSchema(_NAME_SCHEMA)]
QueryCollection = Annotated[
    LeftOut[Collection],
    Field(
        description="The collection whose frame is the query, where several hold the instance. By default "
        "the first that was given it."
    ),
]
Label = Annotated[
    str,
    Field(
        description="A short text given to the frames that a job adds; without the spaces around it.",
        json_schema_extra={"minLength": 1, "maxLength": LENGTH},
    ),
    AfterValidator(label_value),
]
Folder = Annotated[
    str,
    PlainValidator(_folder),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "description": 'Relative to HMAR_IMPORT_DIR, without ".."; "." is all of it.',
        }
    ),
    _FOLDER,
]
SopInstanceUid = Annotated[
    str,
    Field(
        strict=True,
        pattern=UID_PATTERN,
        description="An indexed instance. The query frame itself is not among the hits.",
    ),
    Remedy("Give the UID of an indexed instance, or send a file."),
]
SeriesUid = Annotated[
    str,
    Field(strict=True, pattern=UID_PATTERN, description="An indexed series."),
    Remedy("Give the UID of an indexed series; GET /api/v1/series lists them."),
]
StudyUid = Annotated[
    str,
    Field(strict=True, pattern=UID_PATTERN, description="An indexed study."),
    Remedy("Give the UID of an indexed study; GET /api/v1/series lists them."),
]
CollectionName = Annotated[str, WithJsonSchema(_NAME_SCHEMA)]
"""A collection's name in an answer: it was checked when it came."""
