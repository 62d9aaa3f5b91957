"""What all parts of a request share: fields that are known, and nothing else."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """A part of a request.

    A field of which ``repr`` is False is a secret or a patient's: no error repeats its value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    explains: ClassVar[frozenset[str]] = frozenset()
    """Names of fields that it does not have, and refuses in words of its own."""

    repeats: ClassVar[frozenset[str]] = frozenset()
    """Names of fields of a query that may come several times, and are lists."""


class JsonBody(Asked):
    """A body that is one JSON object."""

    media_type: ClassVar[str] = "application/json"


class FormBody(Asked):
    """A body that is a form with a file, or several, in its parts named ``file``."""

    media_type: ClassVar[str] = "multipart/form-data"


class LoginForm(Asked):
    """A body that is a form of texts, as a page sends it."""

    media_type: ClassVar[str] = "application/x-www-form-urlencoded"


def media_type_of(body: type[BaseModel]) -> str:
    """Return the media type that a model of a body is sent as."""
    # A root model has no base of ours.
    kind: str = body.media_type  # type: ignore[attr-defined]
    return kind
