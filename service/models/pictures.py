"""Pictures: which frame, through which display window, and what a viewer is told of it."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import Field, model_validator

from hmar.errors import ParameterError, shown
from hmar.values.frames import Units
from hmar.values.plain import number_of
from service.models.archive import CollectionQuery
from service.models.asked import Asked
from service.models.given import Headers
from service.models.left_out import LeftOut
from service.models.numbers import FromOne
from service.models.regions import Boxes
from service.models.search_request import SentFrame
from service.models.whole_numbers import ThumbnailSize


class DisplayWindow(Asked):
    """How values are shown as grey."""

    centre: LeftOut[float] = Field(
        default=None,
        description="Centre of the display window, in HU, or in percent of the full range where values are "
        "not HU.",
    )
    width: LeftOut[float] = Field(
        default=None,
        description="Width of the display window; needed with centre.",
        json_schema_extra={"minimum": 1},
    )
    units: LeftOut[Units] = Field(
        default=None,
        description="Units that the display window is meant in. A frame in other units is shown without it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _check_both(cls, fields: Any) -> Any:
        if "centre" not in fields and "width" not in fields:
            return fields
        centre, width = (number_of(fields.get(name)) for name in ("centre", "width"))
        if not (math.isfinite(centre) and math.isfinite(width) and width >= 1):
            given = f"{shown(fields.get('centre'))} / {shown(fields.get('width'))}"
            raise ParameterError(
                f"The display window (centre / width) is {given}.",
                "Give both as numbers, width at least 1.",
            )
        return fields | {"centre": centre, "width": width}

    @property
    def window(self) -> tuple[float, float] | None:
        """Centre and width; None for the file's own."""
        return None if self.centre is None or self.width is None else (self.centre, self.width)


class Picture(DisplayWindow, CollectionQuery):
    """How an indexed frame is shown."""

    repeats: ClassVar[frozenset[str]] = frozenset({"box"})

    size: LeftOut[ThumbnailSize] = None
    box: Boxes = ()


class SeriesPicture(DisplayWindow, CollectionQuery):
    """How a series is shown by one of its frames."""

    size: LeftOut[ThumbnailSize] = None


class FramePath(Asked):
    """Which frame."""

    sop_instance_uid: str
    frame_number: int = Field(json_schema_extra={"minimum": 1})


class RenderForm(DisplayWindow, SentFrame):
    """A file of which a frame is shown."""


class PictureHeaders(Headers):
    """What a viewer needs to measure in a picture and to set its display window."""

    rows: FromOne = Field(serialization_alias="X-HMAR-Rows")
    columns: FromOne = Field(serialization_alias="X-HMAR-Columns")
    units: Units = Field(serialization_alias="X-HMAR-Units", description="What a display window counts in.")
    units_note: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Units-Note",
        description="Why a rescaled CT is not in HU; absent elsewhere.",
    )
    spacing: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Spacing",
        description="Pixel spacing in mm between rows, then between columns; absent where unknown.",
    )
    window: str | None = Field(
        default=None,
        serialization_alias="X-HMAR-Window",
        description="Centre and width of the display window used; absent where none was.",
    )


class KeptHeaders(PictureHeaders):
    """Those of a picture that a browser may keep."""

    etag: str | None = Field(
        default=None, serialization_alias="ETag", description="Names the picture, for If-None-Match."
    )


class RenderedHeaders(PictureHeaders):
    """Those of a picture of a file that was sent."""

    frames: FromOne = Field(serialization_alias="X-HMAR-Frames", description="Number of frames in the file.")
