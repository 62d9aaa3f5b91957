"""Yes or no in a form, which has texts alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from service.models.remedy import Remedy

_WORDS = {"true": True, "false": False}


def _flag(value: object) -> object:
    return _WORDS.get(value, value) if isinstance(value, str) else value


Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag), Remedy("Give true or false.")]
