"""Hits that were judged, by which a search is refined."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo

from hmar.errors import ParameterError, shown
from hmar.values.indexed import IndexedFrame
from hmar.values.judged import MAX_JUDGED
from service.errors import MalformedRequestError
from service.models.asked import Asked
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN
from service.models.remedy import Remedy
from service.models.whole_numbers import FrameNumber
from service.readers.json_text import json_value

_REMEDY = f"Give a list of 1 to {MAX_JUDGED} frames, each with sop_instance_uid and frame_number."


class JudgedFrame(Asked):
    """A frame of the archive, as a hit names it."""

    sop_instance_uid: Annotated[str, Field(strict=True, pattern=UID_PATTERN)]
    frame_number: FrameNumber = 1

    def named(self) -> IndexedFrame:
        """Return the frame's name."""
        return IndexedFrame(self.sop_instance_uid, self.frame_number)


def _from_text(value: object, info: ValidationInfo) -> object:
    """Return a list that may come as JSON text, as a form has it."""
    if not isinstance(value, str):
        return value
    try:
        return json_value(value)
    except MalformedRequestError as error:
        raise ParameterError(f"{info.field_name} is {shown(value)}. {error.detail}", _REMEDY) from error


JudgedFrames = Annotated[
    LeftOut[Annotated[list[JudgedFrame], Field(min_length=1, max_length=MAX_JUDGED)]],
    BeforeValidator(_from_text),
    Remedy(_REMEDY),
]
