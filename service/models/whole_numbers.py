"""Whole numbers of a request. A form and a query have texts alone, so that a number's text counts as it."""

from __future__ import annotations

import re
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from hmar.values.codes import Bits as CodeLength
from hmar.values.picture_limits import PICTURE_SIZES, PictureSize
from hmar.values.search_limits import MAX_K
from service.models.remedy import Remedy

_LENGTHS: tuple[int, ...] = get_args(CodeLength)
_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")


_SIZES = ", ".join(map(str, PICTURE_SIZES))


def _number_of(value: object) -> object:
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def _code_length(value: object) -> int:
    """Return a code length; a literal alone would take all that equals one, such as 64.0."""
    for length in _LENGTHS:
        if value == str(length) or (type(value) is int and value == length):
            return length
    expected = " or ".join(map(str, _LENGTHS))
    raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})


_FromText = BeforeValidator(_number_of)

ThumbnailSize = Annotated[
    PictureSize,
    Field(
        description="Longer side of the picture in pixels; it keeps its ratio, and a smaller frame its size."
    ),
    Remedy(f"Give one of {_SIZES}."),
    BeforeValidator(_number_of),
]

K = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MAX_K,
        description="How many hits on all pages together; one of each group where there are groups.",
    ),
    _FromText,
]
Limit = Annotated[
    int,
    Field(strict=True, ge=1, le=MAX_K, description="Hits of one answer; all k if left out."),
    _FromText,
]
FrameNumber = Annotated[
    int, Field(strict=True, ge=1, le=1_000_000, description="Frame of a multi-frame image."), _FromText
]
FrameCount = Annotated[
    int,
    Field(strict=True, ge=1, le=64, description="Most frames of one answer, from the one asked for on."),
    _FromText,
]
PageSize = Annotated[int, Field(strict=True, ge=1, le=1000), _FromText]
After = Annotated[
    int, Field(strict=True, ge=0, le=2**53, description="The next_after of the page before."), _FromText
]
Offset = Annotated[
    int, Field(strict=True, ge=0, le=2**31, description="The next_offset of the page before."), _FromText
]
Bits = Annotated[
    CodeLength,
    Field(description="Code length compared; the 64-bit code is the first half of the 128-bit code."),
    BeforeValidator(_code_length),
]
Days = Annotated[int, Field(strict=True, ge=1, le=3650), _FromText]
Frames = Annotated[int, Field(strict=True, ge=0, le=2**53), _FromText]
